"""What each input adds to a network: one change a row, on top of the rows before it.

Run ``python -m benchmarks.edge STORE``: presets are trained on what there is before the first day that is judged and
scored on the windows after it, every one with the same random numbers, and each row is held against the row before it
and against the first, paired by blocks of days, over all presets and seeds together and apart. Lower is better.
``--change recency`` asks instead whether windows of late are worth more: each row draws them by another half-life.
``--change minutes``, for crypto-1h, whether minutes that are drawn between five-minute bars are worth learning from.
"""

from __future__ import annotations

import argparse
import multiprocessing
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from synthcity.durations import DAY, parse_duration
from synthcity.forecast.evaluation.interval import ratio_interval
from synthcity.market.bars import Market
from synthcity.market.dataset import Dataset, Indices, build_dataset
from synthcity.market.finer import COARSE, lengthen
from synthcity.market.store import open_store
from synthcity.market.times import parse_time
from synthcity.market.windows import WindowSpec
from synthcity.nets.training import Trainer
from synthcity.nets.validation import WindowScores
from synthcity.search.candidates.presets import presets
from synthcity.sn50.competitions import get_competition, get_rules

Floats = NDArray[np.float64]
Key = tuple[str, str, int]  # row, preset, seed
_DATASETS: dict[str, Dataset] = {}  # filled before the workers fork


@dataclass(frozen=True, kw_only=True)
class Row:
    """A change: what the features hold, and since when the network learns."""

    name: str
    since: str
    bursts: bool = True
    calendar: bool = True
    half_life: float | None = None  # days in which the chance of a window to be drawn halves; None draws all alike
    drawn_minutes: bool = False


ROWS = {
    "inputs": (
        Row(name="as before", since="2025-01-01", bursts=False, calendar=False),
        Row(name="+ bursts", since="2025-01-01", calendar=False),
        Row(name="+ releases", since="2025-01-01"),
        Row(name="+ 2024", since="2024-01-01"),
    ),
    "recency": (
        Row(name="all alike", since="2024-01-01"),
        Row(name="360 days", since="2024-01-01", half_life=360),
        Row(name="120 days", since="2024-01-01", half_life=120),
        Row(name="40 days", since="2024-01-01", half_life=40),
    ),
    "minutes": (
        Row(name="real", since="2025-01-01"),
        Row(name="+ 2025", since="2025-01-01", drawn_minutes=True),
        Row(name="+ 2024", since="2024-01-01", drawn_minutes=True),
    ),
}


def main() -> None:
    """Train everything, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store", type=Path)
    parser.add_argument("--change", choices=list(ROWS), default="inputs")
    parser.add_argument("--competition", default="crypto-24h")
    parser.add_argument("--presets", default="lstm_gbm,summary_gbm,tcn_sde")
    parser.add_argument("--judge-from", default="2025-08-01")
    parser.add_argument("--judge-until", default="2025-10-31")
    parser.add_argument("--every", default="7h", type=parse_duration, help="between two windows that are judged")
    parser.add_argument("--steps", default=600, type=int)
    parser.add_argument("--seeds", default=2, type=int)
    parser.add_argument("--workers", default=2, type=int)
    options = parser.parse_args()
    competition = get_competition(options.competition, get_rules(None))
    end = parse_time(options.judge_until)
    store = open_store(str(options.store))
    kept = {series.asset for series in store.list_series() if series.resolution == competition.time_increment}
    options.assets = [asset for asset in competition.assets if asset in kept]
    market = store.load_market(options.assets, competition.time_increment, end=end)
    rows = ROWS[options.change]
    for row in rows:
        _DATASETS[row.name] = _dataset(market, row, options)
    keys = [
        (r.name, p, s) for s in range(options.seeds) for p in options.presets.split(",") for r in ROWS[options.change]
    ]
    begin = time.perf_counter()
    with ProcessPoolExecutor(options.workers, mp_context=multiprocessing.get_context("fork")) as pool:
        jobs = [pool.submit(_train, key, options.steps) for key in keys]
        found = {key: job.result() for key, job in zip(keys, jobs, strict=True)}
    print(f"{len(keys)} trainings of {options.steps} steps in {time.perf_counter() - begin:.0f} s")
    _print(found)


def _dataset(market: Market, row: Row, options: argparse.Namespace) -> Dataset:
    rules = get_rules(None)
    competition = get_competition(options.competition, rules)
    increment = competition.time_increment
    judged = (parse_time(options.judge_from), parse_time(options.judge_until))
    if row.drawn_minutes:
        coarse = open_store(str(options.store)).load_market(options.assets, COARSE, end=judged[0])
        by_asset = {asset: coarse[asset, COARSE] for asset in options.assets}
        market = lengthen(market, by_asset, increment, parse_time(row.since) - 40 * DAY)
    dataset = build_dataset(
        market,
        competition=competition.name,
        rules=rules.date,
        spec=WindowSpec.of(increment, competition.time_length // increment, bursts=row.bursts, calendar=row.calendar),
        assets=options.assets,
        train=(parse_time(row.since), judged[0]),
        validation=judged,
        validation_every=int(options.every),
        coefficients={asset: rules.coefficient(asset) for asset in options.assets},
    )
    if row.half_life is None:
        return dataset
    steps = row.half_life * DAY / increment
    return replace(dataset, train={asset: recent(starts, steps) for asset, starts in dataset.train.items()})


def recent(starts: Indices, half_life: float) -> Indices:
    """Return as many starts, sorted, some of them often: half as often with every ``half_life`` grid steps of age."""
    chance = np.exp2((starts - starts[-1]) / half_life).cumsum()
    wanted = (np.arange(len(starts)) + 0.5) / len(starts) * chance[-1]
    drawn: Indices = starts[np.searchsorted(chance, wanted)]
    return drawn


def _train(key: Key, steps: int) -> WindowScores:
    torch.set_num_threads(1)
    row, preset, seed = key
    config = dict(presets()[preset].config)
    trainer = Trainer(config, _DATASETS[row], seed=seed, num_rungs=1, max_steps=steps)
    trainer.fit(rungs=1)
    return trainer.validate()


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
            print(f"  {row:<12}{score:8.2f}   on the row before {_change(sums[row], sums[before])}", end="   ")
            print(f"on the first {_change(sums[row], sums[rows[0]])}")
    print("\nby asset, change on the first row")
    for row in rows[1:]:
        pairs = [(found[row, p, s].by_asset, found[rows[0], p, s].by_asset) for r, p, s in found if r == row]
        means = {a: np.mean([100 * (new[a] / old[a] - 1) for new, old in pairs]) for a in pairs[0][0]}
        print(f"  {row:<12}" + "  ".join(f"{asset} {mean:+.3f} %" for asset, mean in means.items()))


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
