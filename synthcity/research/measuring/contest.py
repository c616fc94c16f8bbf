"""The test of a forecaster: what the network would have paid it and the baseline, prompt by prompt.

Both answer as a miner does, with quantised paths, so that a forecaster earns nothing by the way in which it draws; they
are scored by the network's own rule, blocks of volatility and all. Beside others it is the mix of all in equal parts
that is compared with the mix of the others.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from synthcity.authored.forecaster import AuthoredForecaster
from synthcity.authored.locked.forks import Misbehaved
from synthcity.forecast.evaluation.backtest import prompt_seed, score_prompt
from synthcity.forecast.evaluation.interval import block_days
from synthcity.forecast.forecaster import Forecaster
from synthcity.forecast.mixing import Mix
from synthcity.forecast.quantise import DEFAULT_FACTOR, Quantised
from synthcity.market.bars import Market
from synthcity.market.periods import Period
from synthcity.research.measuring.cases import Cases
from synthcity.research.measuring.tested import WITH, WITHOUT, Tested, compared
from synthcity.seeds import hash_seed
from synthcity.sn50.competitions import Competition, Rules
from synthcity.sn50.prompt import Prompt

SECONDS = 300.0  # of a CPU for all prompts of a fold: some hundredths each is what a forecaster may take
_PATHS = 250  # quantised: as many draws as the factor says stand behind each
_SERVED = 1000  # that the network asks for
_AGAIN = 3  # prompts that are asked again
_FEW = 3  # paths


class Contest:
    """Tests forecasters against one baseline on one set of cases."""

    def __init__(
        self,
        rival: Forecaster,
        market: Market,
        cases: Cases,
        competition: Competition,
        rules: Rules,
        *,
        seed: int = 0,
    ) -> None:
        """Take the prompts of ``cases``; ``market`` holds what is known of their assets."""
        self._rival, self._market, self._cases = rival, market, cases
        self._competition, self._rules, self._seed = competition, rules, seed
        self._weights = {asset: rules.coefficient(asset) for asset in cases.assets}
        self._scores: dict[tuple[Period, tuple[str, ...]], pd.DataFrame] = {}
        self._admitted: set[str] = set()

    def test(
        self,
        forecasters: Sequence[AuthoredForecaster],
        folds: Mapping[str, Period],
        *,
        beside: Sequence[AuthoredForecaster] = (),
        confidence: float = 0.95,
    ) -> Tested:
        """Compare ``forecasters``, and all ``beside`` them, with those beside them, or with the baseline.

        Raises:
            Misbehaved: one failed, hung, took more than ``SECONDS``, answered with something else, or otherwise when it
                was asked again.
            ConfigError: a fold holds no prompt.
        """
        began = time.perf_counter()
        for one in forecasters:
            self.admit(one, next(iter(folds.values())))
        tables = {
            name: pd.concat(
                [
                    self._scored(fold, tuple(beside)).assign(forecaster=WITHOUT),
                    self._scored(fold, (*beside, *forecasters)).assign(forecaster=WITH),
                ],
                ignore_index=True,
            )
            for name, fold in folds.items()
        }
        return compared(
            " + ".join(one.name for one in forecasters),
            tables,
            block_days=block_days(self._cases.horizon * self._cases.step),
            weights=self._weights,
            confidence=confidence,
            columns=0,
            began=began,
        )

    def admit(self, one: AuthoredForecaster, fold: Period) -> None:
        """Hold some answers against those to the same question, and ask for as few and as many paths as anybody does.

        Raises:
            Misbehaved: it failed, draws by something else than the noise that it is given, or cannot draw so many.
            ConfigError: the fold holds no prompt.
        """
        if one.source.sha256 in self._admitted:
            return
        prompts = self._prompts(fold)
        rng = np.random.default_rng(hash_seed(one.source.sha256))
        for n in rng.choice(len(prompts), min(_AGAIN, len(prompts)), replace=False):
            prompt = prompts[int(n)]
            first, again = (self._answer(one, prompt) for _ in range(2))
            if not np.array_equal(first, again):
                raise Misbehaved(f"the forecaster {one.name} answers the same question with the same noise otherwise")
        for paths in (_FEW, DEFAULT_FACTOR * _SERVED):
            self._answer(one, replace(prompts[0], num_simulations=paths))
        self._admitted.add(one.source.sha256)

    def forget(self, one: AuthoredForecaster) -> None:
        """Let go of the scores of a forecaster that is not tested again."""
        self._scores = {key: value for key, value in self._scores.items() if one.source.sha256 not in key[1]}

    def _answer(self, one: AuthoredForecaster, prompt: Prompt) -> np.ndarray:
        history = self._market.as_of(prompt.start_time)
        return one.simulate(history, prompt, seed=prompt_seed(self._seed, prompt))

    def _prompts(self, fold: Period) -> list[Prompt]:
        cases = self._cases
        return [
            Prompt(
                asset=cases.assets[cases.asset[n]],
                start_time=int(cases.start[n]),
                time_increment=cases.step,
                time_length=cases.horizon * cases.step,
                num_simulations=_PATHS,
            )
            for n in np.flatnonzero(cases.of(fold))
        ]

    def _scored(self, fold: Period, members: tuple[AuthoredForecaster, ...]) -> pd.DataFrame:
        """Scores of a fold as in ``Backtest.scores``: of the mix of ``members``, or of the baseline."""
        key = (fold, tuple(one.source.sha256 for one in members))
        if key in self._scores:
            return self._scores[key]
        forecaster = Quantised(
            Mix(members, np.full(len(members), 1 / len(members)).tolist()) if members else self._rival
        )
        rows, prompts = [], self._prompts(fold)
        before = [one.cpu_seconds for one in members]
        for done, prompt in enumerate(prompts):
            for one, used in zip(members, before, strict=True):
                if one.cpu_seconds - used > SECONDS:
                    taken = f"more than {SECONDS:g} s of a CPU for {done} of {len(prompts)} prompts"
                    raise Misbehaved(f"the forecaster {one.name} took {taken}")
            rows += score_prompt(
                [forecaster], self._market, prompt, self._competition, self._rules, self._seed, _refuse
            )
        self._scores[key] = pd.DataFrame(rows)
        return self._scores[key]


def _refuse(prompt: Prompt, reason: str) -> None:
    """No prompt is left out: whoever does not answer the hard ones would look the better for it."""
    raise Misbehaved(f"the prompt of {prompt.asset} at {prompt.start_time} is not answered: {reason}")
