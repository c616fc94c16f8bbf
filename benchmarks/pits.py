"""Where do a network's changes of half an hour and three hours miss, and would a wider or narrower law be nearer?

Run ``python -m benchmarks.pits STORE``: presets are trained on what there is before the first day that is judged. Told
are the histograms of ``forecast.evaluation.diagnostics`` and, by horizon and month, how many times as wide a law would
have scored best. Two corrections are tried on the judged days, both drawn half way to none: the width that was best on
the days that the network was trained on, and the one that was best in the 30 days before each block.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from synthcity.durations import DAY, parse_duration
from synthcity.forecast.evaluation.backtest import backtest_prompts, realised_prices
from synthcity.forecast.evaluation.diagnostics import ALL, Diagnostics, PitRow, pit_horizons
from synthcity.forecast.evaluation.interval import Floats, block_days, ratio_interval
from synthcity.forecast.forecaster import Forecaster
from synthcity.forecast.quantise import Quantised
from synthcity.market.bars import Market
from synthcity.market.dataset import build_dataset
from synthcity.market.store import open_store
from synthcity.market.times import parse_time
from synthcity.market.windows import WindowSpec
from synthcity.nets.forecaster import NetForecaster
from synthcity.nets.training import Trainer
from synthcity.search.candidates.presets import presets
from synthcity.sn50.competitions import Competition, Rules, get_competition, get_rules
from synthcity.sn50.prompt import Prompt

_MEMORY_DAYS = 30
WIDTHS = np.round(np.arange(0.84, 1.09, 0.02), 2)
_NONE = int(np.flatnonzero(WIDTHS == 1.0)[0])


def main() -> None:
    """Print a table for each preset."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store", type=Path)
    parser.add_argument("--competition", default="crypto-24h")
    parser.add_argument("--presets", default="summary_gbm,lstm_gbm")
    parser.add_argument("--train-from", default="2025-01-01", type=parse_time)
    parser.add_argument("--learn-from", default="2025-06-10", type=parse_time, help="days before the judged ones")
    parser.add_argument("--judge-from", default="2025-08-01", type=parse_time)
    parser.add_argument("--judge-until", default="2025-10-31", type=parse_time)
    parser.add_argument("--every", default="11h", type=parse_duration)
    parser.add_argument("--steps", default=600, type=int)
    options = parser.parse_args()
    torch.set_num_threads(1)
    rules = get_rules(None)
    competition = get_competition(options.competition, rules)
    store = open_store(str(options.store))
    assets = list(competition.assets)
    market = store.load_market(assets, competition.time_increment, end=options.judge_until)
    every = int(options.every)
    for preset in options.presets.split(","):
        network = Quantised(_trained(preset, market, competition, rules, options))
        before: Study | None = None
        for name, start, end in (
            ("trained on", options.learn_from, options.judge_from),
            ("judged", options.judge_from, options.judge_until),
        ):
            prompts = backtest_prompts(competition, assets, start, end, every, rules=rules)
            study = Study(competition)
            for prompt in prompts:
                study.add(network, market, prompt)
            print(f"\n{preset}, {name}: {len(prompts)} prompts", flush=True)
            study.tell(before)
            before = study


class Study:
    """Histograms of one forecaster, and its scores at every width, by horizon and month."""

    def __init__(self, competition: Competition) -> None:
        self._horizons = pit_horizons(competition.time_length)
        self._days = block_days(competition.time_length)
        self._diagnostics = Diagnostics(self._horizons, block_days=self._days)
        self._crps: dict[tuple[int, int], list[Floats]] = defaultdict(list)  # (horizon, block) -> by width

    def add(self, forecaster: Forecaster, market: Market, prompt: Prompt) -> None:
        """Ask ``forecaster`` and take in what came."""
        realised = realised_prices(market, prompt)
        if realised is None:
            return
        paths = forecaster.simulate(market.as_of(prompt.start_time), prompt, seed=prompt.start_time)
        self._diagnostics.add(prompt, paths, realised)
        logs, true = np.log(paths), np.log(realised)
        for horizon in self._horizons:
            steps = horizon // prompt.time_increment
            drawn = np.sort(logs[:, steps::steps] - logs[:, :-steps:steps], axis=0)
            came = true[steps::steps] - true[:-steps:steps]
            known = np.isfinite(came)
            found = np.array([crps(drawn[:, known] * width, came[known]).sum() for width in WIDTHS])
            # in units of the law's own width: else storms alone would decide
            scale = float(drawn[:, known].std(axis=0).mean()) * known.sum()
            self._crps[horizon, prompt.start_time // (self._days * DAY)].append(found / scale)

    def tell(self, before: Study | None) -> None:
        """Print it; ``before``: what the corrections are learned from."""
        for row in self._diagnostics.result()["pit"]:
            if row["asset"] == ALL:
                print(f"  {row['horizon']:>6} s  {histogram(row)}")
        for horizon in self._horizons:
            blocks, every = self._blocks(horizon)
            months = defaultdict(list)
            for block, sums in zip(blocks, every, strict=True):
                months[pd.Timestamp(block * self._days * DAY, unit="s").strftime("%Y-%m")].append(sums)
            best = best_width(every)
            each = ", ".join(f"{month} {WIDTHS[best_width(np.array(rows))]:.2f}" for month, rows in months.items())
            print(f"  {horizon:>6} s  best {WIDTHS[best]:.2f}: {_gain(every[:, best], every)}; {each}", flush=True)
            if before is not None:
                old_blocks, old = before._blocks(horizon)
                width = halved(best_width(old))
                print(f"           as in training, {WIDTHS[width]:.2f}: {_gain(every[:, width], every)}")
                past, time = np.concatenate([old, every]), np.array([*old_blocks, *blocks])
                widths = [halved(best_width(past[self._recent(time, block)])) for block in blocks]
                own = every[np.arange(len(every)), widths]
                span = f"{WIDTHS[min(widths)]:.2f} to {WIDTHS[max(widths)]:.2f}"
                print(f"           as of late, {span}: {_gain(own, every)}")

    def _recent(self, time: NDArray[np.int64], block: int) -> NDArray[np.bool_]:
        """Blocks that are over a day before ``block`` begins, of the last days."""
        return np.asarray((time < block - 1) & (time >= block - 1 - _MEMORY_DAYS // self._days))

    def _blocks(self, horizon: int) -> tuple[list[int], Floats]:
        """Blocks of days and their scores (blocks, widths)."""
        found = {block: np.sum(rows, axis=0) for (h, block), rows in sorted(self._crps.items()) if h == horizon}
        return list(found), np.array(list(found.values()))


def best_width(every: Floats) -> int:
    """Index of the width that scores best over blocks (blocks, widths)."""
    return int(every.sum(axis=0).argmin())


def halved(width: int) -> int:
    """Index of the width half way to none, rounded towards it."""
    return _NONE + int((width - _NONE) / 2)


def _gain(new: Floats, every: Floats) -> str:
    one = every[:, _NONE]
    low, high = (100 * (float(bound) - 1) for bound in ratio_interval(new, one))
    return f"{100 * (new.sum() / one.sum() - 1):+.3f} % ({low:+.3f} to {high:+.3f})"


def crps(drawn: Floats, came: Floats) -> Floats:
    """CRPS (changes,) of sorted ensembles (paths, changes), without the charge for their number."""
    num = len(drawn)
    ranks = 2 * np.arange(num)[:, None] - num + 1
    apart = (ranks * drawn).sum(axis=0) / (num * (num - 1))  # half the mean distance
    found: Floats = np.abs(drawn - came).mean(axis=0) - apart
    return found


def histogram(row: PitRow) -> str:
    """Say how far a histogram is from flat."""
    density, low, high = (np.array(row[key]) for key in ("density", "low", "high"))
    outside = int(((low > 1) | (high < 1)).sum())
    return (
        f"{row['count']} changes, outer bins {density[[0, -1]].mean():.3f}, middle {density[8:12].mean():.3f}, "
        f"worst off by {np.abs(density - 1).max():.3f}, {outside} of {len(density)} bins outside their band"
    )


def _trained(
    preset: str, market: Market, competition: Competition, rules: Rules, options: argparse.Namespace
) -> NetForecaster:
    increment = competition.time_increment
    dataset = build_dataset(
        market.until(options.judge_from),
        competition=competition.name,
        rules=rules.date,
        spec=WindowSpec.of(increment, competition.time_length // increment),
        assets=list(competition.assets),
        train=(options.train_from, options.judge_from),
        validation=(options.judge_from - 20 * DAY, options.judge_from),
        validation_every=DAY,
        coefficients={asset: rules.coefficient(asset) for asset in competition.assets},
    )
    trainer = Trainer(dict(presets()[preset].config), dataset, seed=0, num_rungs=1, max_steps=options.steps)
    trainer.fit(rungs=1)
    return NetForecaster.from_state(trainer.state())


if __name__ == "__main__":
    main()
