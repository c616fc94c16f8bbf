"""Does it pay to train a frozen network again on newer prices, and how often?

Run ``python -m benchmarks.refit STORE``: a preset is trained on what there is before the first day that is judged, and
again, from scratch and with the same seed and steps, every month and every week; all answer the same prompts, each with
its newest training of that time. Printed is what refitting gains over the one that is never trained again, paired, with
its 95 % interval.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import pandas as pd
import torch

from synthcity.durations import DAY
from synthcity.forecast.evaluation.backtest import backtest, backtest_prompts
from synthcity.forecast.evaluation.compare import lead
from synthcity.forecast.named import Named
from synthcity.forecast.quantise import Quantised
from synthcity.market.bars import Market
from synthcity.market.dataset import build_dataset
from synthcity.market.store import open_store
from synthcity.market.times import format_time, parse_time
from synthcity.market.windows import WindowSpec
from synthcity.nets.forecaster import NetForecaster
from synthcity.nets.training import Trainer
from synthcity.search.candidates.presets import presets
from synthcity.sn50.competitions import Competition, Rules, get_competition, get_rules
from synthcity.sn50.prompt import Prompt

WAYS = {"never": 10_000, "monthly": 30, "weekly": 7}  # days between two trainings


def main() -> None:
    """Print a line a training, and a table a seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store", type=Path)
    parser.add_argument("--competition", default="crypto-24h")
    parser.add_argument("--preset", default="lstm_gbm")
    parser.add_argument("--train-from", default="2025-01-01", type=parse_time)
    parser.add_argument("--judge-from", default="2025-08-01", type=parse_time)
    parser.add_argument("--judge-until", default="2025-10-31", type=parse_time)
    parser.add_argument("--steps", default=600, type=int)
    parser.add_argument("--seeds", default=2, type=int)
    options = parser.parse_args()
    torch.set_num_threads(1)
    rules = get_rules(None)
    competition = get_competition(options.competition, rules)
    assets = list(competition.assets)
    market = open_store(str(options.store)).load_market(assets, competition.time_increment, end=options.judge_until)
    for seed in range(options.seeds):
        study = Study(market, competition, rules, options, seed)
        scores = pd.concat([study.scores(way, days) for way, days in WAYS.items()])
        for way in list(WAYS)[1:]:
            found = lead(scores, way, "never")
            print(f"seed {seed}  {way:<8}{found.mean:+.3f} % ({found.low:+.3f} to {found.high:+.3f})", flush=True)
            print("  " + "  ".join(f"{asset} {percent:+.3f}" for asset, percent in found.by_asset.items()), flush=True)


class Study:
    """One preset and seed; what was trained up to a day is trained once."""

    def __init__(
        self, market: Market, competition: Competition, rules: Rules, options: argparse.Namespace, seed: int
    ) -> None:
        self._market, self._competition, self._rules = market, competition, rules
        self._options, self._seed = options, seed
        self._trained: dict[int, NetForecaster] = {}

    def scores(self, way: str, days: int) -> pd.DataFrame:
        """Scores of all prompts, each answered by the newest training before its span began."""
        parts = []
        for start, prompts in self._spans(days).items():
            forecaster = Named(Quantised(self._network(start)), way)
            parts.append(backtest([forecaster], self._market, prompts, self._competition, rules=self._rules).scores)
        return pd.concat(parts)

    def _spans(self, days: int) -> dict[int, list[Prompt]]:
        """The prompts by the time of the training that answers them."""
        options, spans = self._options, dict[int, list[Prompt]]()
        for prompt in backtest_prompts(
            self._competition,
            self._competition.assets,
            options.judge_from,
            options.judge_until,
            7 * 3600,
            rules=self._rules,
        ):
            number = (prompt.start_time - options.judge_from) // (days * DAY)
            spans.setdefault(options.judge_from + number * days * DAY, []).append(prompt)
        return spans

    def _network(self, until: int) -> NetForecaster:
        if until not in self._trained:
            begin = time.perf_counter()
            increment, options = self._competition.time_increment, self._options
            spec = WindowSpec.of(increment, self._competition.time_length // increment)
            dataset = build_dataset(
                self._market.until(until),
                competition=self._competition.name,
                rules=self._rules.date,
                spec=spec,
                assets=list(self._competition.assets),
                train=(options.train_from, until),
                validation=(until - 20 * DAY, until),
                validation_every=DAY,
                coefficients={asset: self._rules.coefficient(asset) for asset in self._competition.assets},
            )
            config = presets()[options.preset].config
            trainer = Trainer(dict(config), dataset, seed=self._seed, num_rungs=1, max_steps=options.steps)
            trainer.fit(rungs=1)
            self._trained[until] = NetForecaster.from_state(trainer.state())
            spent = time.perf_counter() - begin
            print(f"seed {self._seed}  trained up to {format_time(until)} in {spent:.0f} s", flush=True)
        return self._trained[until]


if __name__ == "__main__":
    main()
