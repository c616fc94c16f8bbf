"""What each input adds to a network: one change a row, on top of the rows before it.

Run ``python -m benchmarks.edge STORE``: presets are trained on what there is before the first day that is judged and
scored on the windows after it, every one with the same random numbers, and each row is held against the row before it
and against the first, paired by blocks of days, over all presets and seeds together and apart. Lower is better.
``--change recency`` asks instead whether windows of late are worth more: each row draws them by another half-life.
``--change minutes``, for crypto-1h, whether minutes that are drawn between five-minute bars are worth learning from.
``--change recipes`` what each part of a recipe does. With ``--choose-from`` networks learn up to that day and are taken
from the best of five rungs until the first day that is judged, as a search does it. STORE may be ``simulated``.
"""

from __future__ import annotations

import argparse
import multiprocessing
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray

from synthcity.durations import DAY, parse_duration
from synthcity.forecast.evaluation.interval import ratio_interval
from synthcity.market.bars import Market
from synthcity.market.dataset import Dataset, build_dataset
from synthcity.market.finer import COARSE, lengthen
from synthcity.market.simulated import SimulatedConfig, SimulatedMarket
from synthcity.market.store import open_store
from synthcity.market.times import parse_time
from synthcity.market.windows import WindowSpec
from synthcity.nets.forecaster import NetForecaster
from synthcity.nets.training import Trainer
from synthcity.nets.validation import Validation, WindowScores
from synthcity.search.candidates.presets import presets
from synthcity.sn50.competitions import get_competition, get_rules

Floats = NDArray[np.float64]
Key = tuple[str, str, int]  # row, preset, seed
_RUNGS = 5
_DATASETS: dict[tuple[object, ...], list[Dataset]] = {}  # filled before the workers fork


@dataclass(frozen=True, kw_only=True)
class Row:
    """A change: what the features hold, and since when the network learns."""

    name: str
    since: str
    bursts: bool = True
    calendar: bool = True
    drawn_minutes: bool = False
    training: Mapping[str, object] = field(default_factory=dict)

    @property
    def data(self) -> tuple[object, ...]:
        """What its dataset is known by."""
        return self.since, self.bursts, self.calendar, self.drawn_minutes


ROWS = {
    "inputs": (
        Row(name="as before", since="2025-01-01", bursts=False, calendar=False),
        Row(name="+ bursts", since="2025-01-01", calendar=False),
        Row(name="+ releases", since="2025-01-01"),
        Row(name="+ 2024", since="2024-01-01"),
    ),
    "recency": (
        Row(name="all alike", since="2024-01-01"),
        Row(name="360 days", since="2024-01-01", training={"half_life": 360}),
        Row(name="120 days", since="2024-01-01", training={"half_life": 120}),
        Row(name="40 days", since="2024-01-01", training={"half_life": 40}),
    ),
    "minutes": (
        Row(name="real", since="2025-01-01"),
        Row(name="+ 2025", since="2025-01-01", drawn_minutes=True),
        Row(name="+ 2024", since="2024-01-01", drawn_minutes=True),
    ),
    "recipes": tuple(
        Row(name=" ".join(map(str, recipe)) or "default", since="2025-01-01", training=dict([recipe] if recipe else []))
        for recipe in (
            (),
            ("steps", 0.8),
            ("steps", 0.6),
            ("steps", 0.4),
            ("schedule", "cosine"),
            ("schedule", "trapezoid"),
            ("tilt", -0.5),
            ("tilt", -0.25),
            ("tilt", 0.25),
            ("tilt", 0.5),
            ("half_life", 120),
            ("half_life", 40),
        )
    ),
}


def main() -> None:
    """Train everything, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store", help="folder, or simulated")
    parser.add_argument("--change", choices=list(ROWS), default="inputs")
    parser.add_argument("--rows", type=lambda text: text.split(","), help="of them by name, the first among them")
    parser.add_argument("--drawn-minutes", action="store_true", help="in every row")
    parser.add_argument("--competition", default="crypto-24h")
    parser.add_argument("--presets", default="lstm_gbm,summary_gbm,tcn_sde")
    parser.add_argument("--choose-from")
    parser.add_argument("--judge-from", default="2025-08-01")
    parser.add_argument("--judge-until", default="2025-10-31")
    parser.add_argument("--every", default="7h", type=parse_duration, help="between two windows that are judged")
    parser.add_argument("--steps", default=600, type=int)
    parser.add_argument("--seeds", default=2, type=int)
    parser.add_argument("--workers", default=2, type=int)
    options = parser.parse_args()
    competition = get_competition(options.competition, get_rules(None))
    rows = [row for row in ROWS[options.change] if options.rows is None or row.name in options.rows]
    rows = [replace(row, drawn_minutes=True) for row in rows] if options.drawn_minutes else rows
    market = _market(options, competition.time_increment, parse_time(options.judge_until))
    for row in rows:
        if row.data not in _DATASETS:
            _DATASETS[row.data] = [_dataset(market, row, options, *dates) for dates in _periods(options)]
    networks = [(preset, seed) for seed in range(options.seeds) for preset in options.presets.split(",")]
    jobs = [(row, *network) for network in networks for row in rows]
    begin = time.perf_counter()
    with ProcessPoolExecutor(options.workers, mp_context=multiprocessing.get_context("fork")) as pool:
        told = list(pool.map(_train, jobs, [options.steps] * len(jobs)))
    print(f"{len(jobs)} trainings of {options.steps} steps in {time.perf_counter() - begin:.0f} s")
    _print({(row.name, preset, seed): scores for (row, preset, seed), (scores, _) in zip(jobs, told, strict=True)})
    print("\nCPU seconds of a network")
    for row in rows:
        seconds = [took for (of, _, _), (_, took) in zip(jobs, told, strict=True) if of is row]
        print(f"  {row.name:<20}{np.mean(seconds):8.1f}")


def _market(options: argparse.Namespace, increment: int, end: int) -> Market:
    if options.store == "simulated":
        options.assets = ["BTC", "ETH", "SOL"]
        return SimulatedMarket(SimulatedConfig()).market(options.assets, resolution=increment)
    store = open_store(options.store)
    kept = {series.asset for series in store.list_series() if series.resolution == increment}
    options.assets = [a for a in get_competition(options.competition, get_rules(None)).assets if a in kept]
    return store.load_market(options.assets, increment, end=end)


def _periods(options: argparse.Namespace) -> list[tuple[str, str, str]]:
    """Where training ends and what is scored: what rungs are chosen by, if they are, and what is judged."""
    judged = (options.judge_from, options.judge_until)
    if options.choose_from is None:
        return [(options.judge_from, *judged)]
    return [(options.choose_from, options.choose_from, options.judge_from), (options.choose_from, *judged)]


def _dataset(market: Market, row: Row, options: argparse.Namespace, learned: str, begin: str, end: str) -> Dataset:
    rules = get_rules(None)
    competition = get_competition(options.competition, rules)
    increment = competition.time_increment
    if row.drawn_minutes:
        coarse = open_store(options.store).load_market(options.assets, COARSE, end=parse_time(learned))
        by_asset = {asset: coarse[asset, COARSE] for asset in options.assets}
        market = lengthen(market, by_asset, increment, parse_time(row.since) - 40 * DAY)
    return build_dataset(
        market,
        competition=competition.name,
        rules=rules.date,
        spec=WindowSpec.of(increment, competition.time_length // increment, bursts=row.bursts, calendar=row.calendar),
        assets=options.assets,
        train=(parse_time(row.since), parse_time(learned)),
        validation=(parse_time(begin), parse_time(end)),
        validation_every=int(options.every),
        coefficients={asset: rules.coefficient(asset) for asset in options.assets},
    )


def _train(job: tuple[Row, str, int], steps: int) -> tuple[WindowScores, float]:
    """Return the scores of a network, and the CPU seconds that it took without the judging."""
    torch.set_num_threads(1)
    row, preset, seed = job
    chosen, judged = _DATASETS[row.data][0], _DATASETS[row.data][-1]
    config = dict(presets()[preset].config)
    config["training"] = {**config.get("training", {}), **row.training}
    trainer = Trainer(config, chosen, seed=seed, num_rungs=_RUNGS, max_steps=steps, device="cpu")
    begin = time.process_time()
    if chosen is judged:
        trainer.fit(rungs=_RUNGS)
    else:
        while not trainer.advance()["done"]:
            pass
    took = time.process_time() - begin
    network = NetForecaster.from_state(trainer.state()).network
    competition = get_competition(judged.competition, get_rules(judged.rules))
    return Validation(judged, competition, torch.device("cpu")).score(network), took


def _print(found: Mapping[Key, WindowScores]) -> None:
    rows = list(dict.fromkeys(row for row, _, _ in found))
    groups: dict[str, list[tuple[str, int]]] = {"all": []}
    for _, preset, seed in found:
        for group in ("all", preset, f"seed {seed}"):
            if (preset, seed) not in groups.setdefault(group, []):
                groups[group].append((preset, seed))
    for group, chosen in groups.items():
        print(f"\n{group}")
        sums = {row: _sums([found[row, preset, seed] for preset, seed in chosen]) for row in rows}
        for before, row in zip([rows[0], *rows], rows, strict=False):
            score = np.mean([found[row, preset, seed].score for preset, seed in chosen])
            print(f"  {row:<20}{score:8.2f}   on the row before {_change(sums[row], sums[before])}", end="   ")
            print(f"on the first {_change(sums[row], sums[rows[0]])}")
    print("\nby asset, change on the first row")
    for row in rows[1:]:
        pairs = [(found[row, p, s].by_asset, found[rows[0], p, s].by_asset) for r, p, s in found if r == row]
        means = {a: np.mean([100 * (new[a] / old[a] - 1) for new, old in pairs]) for a in pairs[0][0]}
        print(f"  {row:<20}" + "  ".join(f"{asset} {mean:+.3f} %" for asset, mean in means.items()))


def _sums(scores: Sequence[WindowScores]) -> Floats:
    blocks = np.array([one.blocks for one in scores])  # (networks, blocks, mean and weight)
    sums: Floats = (blocks[..., 0] * blocks[..., 1]).sum(axis=0)
    return sums


def _change(new: Floats, old: Floats) -> str:
    if np.array_equal(new, old):
        return f"{'-':^27}"
    low, high = (100 * (float(bound) - 1) for bound in ratio_interval(new, old))
    return f"{100 * (new.sum() / old.sum() - 1):+.3f} % ({low:+.3f} to {high:+.3f})"


if __name__ == "__main__":
    main()
