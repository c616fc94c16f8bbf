"""Where do a network's changes of half an hour and three hours miss, and would a wider or narrower law be nearer?

Run ``python -m benchmarks.pits STORE``: presets are trained on what there is before the first day that is judged. Told
are, month by month, the histograms of ``forecast.evaluation.diagnostics`` and what the changes over each horizon would
score if the law were so many times as wide. A month before the first judged day is one that the network was trained on:
its width is what a correction could be learned from, and the months after it are what such a correction must hold for.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np
import pandas as pd
import torch

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

WIDTHS = np.round(np.arange(0.84, 1.09, 0.02), 2)


def main() -> None:
    """Print a table for each preset."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store", type=Path)
    parser.add_argument("--competition", default="crypto-24h")
    parser.add_argument("--presets", default="summary_gbm,lstm_gbm")
    parser.add_argument("--train-from", default="2025-01-01", type=parse_time)
    parser.add_argument("--learn-from", default="2025-05-01", type=parse_time, help="months before the judged ones")
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
        for name, start, end in (
            ("trained on", options.learn_from, options.judge_from),
            ("judged", options.judge_from, options.judge_until),
        ):
            prompts = backtest_prompts(competition, assets, start, end, every, rules=rules)
            study = Study(competition)
            for prompt in prompts:
                study.add(network, market, prompt)
            print(f"\n{preset}, {name}: {len(prompts)} prompts", flush=True)
            study.tell()


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

    def tell(self) -> None:
        """Print it."""
        for row in self._diagnostics.result()["pit"]:
            if row["asset"] == ALL:
                print(f"  {row['horizon']:>6} s  {histogram(row)}")
        for horizon in self._horizons:
            blocks = {block: np.sum(rows, axis=0) for (h, block), rows in sorted(self._crps.items()) if h == horizon}
            months = defaultdict(list)
            for block, sums in blocks.items():
                months[pd.Timestamp(block * self._days * DAY, unit="s").strftime("%Y-%m")].append(sums)
            every = np.array(list(blocks.values()))
            best = int(every.sum(axis=0).argmin())
            one = int(np.flatnonzero(WIDTHS == 1.0)[0])
            low, high = (100 * (float(bound) - 1) for bound in ratio_interval(every[:, best], every[:, one]))
            gain = 100 * (every[:, best].sum() / every[:, one].sum() - 1)
            each = ", ".join(f"{month} {WIDTHS[np.sum(rows, axis=0).argmin()]:.2f}" for month, rows in months.items())
            print(
                f"  {horizon:>6} s  best width {WIDTHS[best]:.2f}: {gain:+.3f} % ({low:+.3f} to {high:+.3f}); {each}; "
                + " ".join(f"{100 * (every[:, k].sum() / every[:, one].sum() - 1):+.3f}" for k in range(len(WIDTHS)))
            )


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
