"""The test of an input: the score of the same law with and without it, prompt by prompt, on folds that it never saw.

For each fold a drawn regression is fitted on the prompts whose windows ended before the fold began; the law that
follows is scored on the fold without any draws. Without the input the same is done with levels by asset and lead alone,
so that an input earns nothing by mending the baseline's level.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthcity.errors import ConfigError
from synthcity.forecast.evaluation.interval import block_days
from synthcity.market.bars import Floats
from synthcity.market.periods import Period
from synthcity.research.inputs import Input, ask
from synthcity.research.known import Known
from synthcity.research.measuring.cases import Cases
from synthcity.research.measuring.design import Columns, Floats32, input_columns, plain_columns
from synthcity.research.measuring.law import Horizon, Law, choose_degrees
from synthcity.research.measuring.regression import fit, predict
from synthcity.research.measuring.tested import WITH, WITHOUT, Tested, compared
from synthcity.seeds import hash_seed

_LEAST_CASES = 30  # to fit on, before a fold


class Judge:
    """Tests inputs on one set of cases."""

    def __init__(
        self,
        cases: Cases,
        known: Known,
        horizons: Sequence[Horizon],
        weights: Mapping[str, float],
        learn: Period,
        *,
        seed: int = 0,
    ) -> None:
        """Take cases that are over by the end of ``learn`` as those that are known before any fold."""
        self.cases, self.known, self._horizons, self._weights = cases, known, tuple(horizons), dict(weights)
        self._learned = self._over(learn.end)
        if self._learned.sum() < _LEAST_CASES:
            raise ConfigError(
                f"only {self._learned.sum()} prompts are over before the first fold ({learn}), and {_LEAST_CASES} are "
                "needed to learn from; let the period learn be longer, or ask more often"
            )
        self._seed = seed
        self._plain = plain_columns(cases)
        self._laid: dict[int, tuple[Input, Columns]] = {}
        self._laws: dict[Period, tuple[Law, ...]] = {}
        self._scores: dict[tuple[Period, tuple[int, ...]], Floats] = {}

    def test(
        self,
        inputs: Sequence[Input],
        folds: Mapping[str, Period],
        *,
        beside: Sequence[Input] = (),
        confidence: float = 0.95,
    ) -> Tested:
        """Compare the law with ``inputs``, and all ``beside`` them, against that with those beside them alone.

        Raises:
            InputRefused: one broke its contract.
            ConfigError: a fold has too little before it, or no prompt.
        """
        began = time.perf_counter()
        tables = {name: self._table(fold, tuple(inputs), tuple(beside)) for name, fold in folds.items()}
        return compared(
            " + ".join(one.name for one in inputs),
            tables,
            block_days=block_days(self.cases.horizon * self.cases.step),
            weights=self._weights,
            confidence=confidence,
            columns=sum(self._columns(one).laid.shape[2] for one in inputs),
            began=began,
        )

    def _table(self, fold: Period, inputs: tuple[Input, ...], beside: tuple[Input, ...]) -> pd.DataFrame:
        """Scores of a fold as in ``Backtest.scores``, of ``WITH`` and ``WITHOUT``."""
        self._totals(fold, ())  # which decides the shape of the laws for all
        own = self.cases.of(fold)
        shared = {
            "asset": np.array(self.cases.assets)[self.cases.asset[own]],
            "start_time": self.cases.start[own],
        }
        parts = ((WITHOUT, beside), (WITH, (*beside, *inputs)))
        return pd.concat(
            [pd.DataFrame({**shared, "forecaster": name, "total": self._totals(fold, used)}) for name, used in parts],
            ignore_index=True,
        )

    def admit(self, one: Input, fold: Period) -> None:
        """Ask an input about the first, middle and last prompts of a fold, and measure nothing.

        Raises:
            InputRefused: it broke its contract there.
            ConfigError: the fold holds no prompt.
        """
        rows = np.unique(self.cases.row[self.cases.of(fold)])
        rows = np.unique(rows[[0, len(rows) // 2, -1]])
        ends = self.known.times[rows][:, None] + self.cases.step * np.arange(1, self.cases.horizon + 1)
        ask(one, self.known, rows, ends, np.random.default_rng(hash_seed(self._seed, one.name)))

    def forget(self, one: Input) -> None:
        """Let go of the columns of an input that is not tested again."""
        self._laid.pop(id(one), None)
        self._scores = {key: value for key, value in self._scores.items() if id(one) not in key[1]}

    def _over(self, now: int) -> NDArray[np.bool_]:
        return self.cases.ends <= now

    def _columns(self, one: Input) -> Columns:
        if id(one) not in self._laid:
            seed = hash_seed(self._seed, one.name)
            self._laid[id(one)] = (one, input_columns(one, self.cases, self.known, self._learned, seed))
        return self._laid[id(one)][1]

    def _totals(self, fold: Period, inputs: tuple[Input, ...]) -> Floats:
        """Scores (c of the fold,) of the law that all these inputs give."""
        key = (fold, tuple(id(one) for one in inputs))
        if key not in self._scores:
            parts = [self._columns(one) for one in inputs]
            x = np.concatenate([self._plain, *(each.laid for each in parts)], axis=2)
            strength = np.concatenate([np.zeros(self._plain.shape[2]), *(each.strength for each in parts)])
            self._scores[key] = self._score(fold, x, strength)
        return self._scores[key]

    def _score(self, fold: Period, x: Floats32, strength: Floats) -> Floats:
        past, own = self._over(fold.start), self.cases.of(fold)
        moves = self.cases.moves(past)
        seen = np.isfinite(moves)
        usual = float(moves[seen].mean())
        coefficients = fit(x[past][seen], moves[seen] / usual, strength)
        sigma = self.cases.expected * usual * np.exp(predict(x, coefficients))
        total = np.zeros(int(own.sum()))
        for n, horizon in enumerate(self._horizons):
            size, change = np.sqrt(horizon.sums(sigma**2)), horizon.changes(self.cases.prices)
            scale = self._scale(size[past], change[past], self.cases.asset[past])[self.cases.asset]
            size = size * scale[:, None]
            if fold not in self._laws:
                self._laws[fold] = ()
            if len(self._laws[fold]) == n:  # that without any input decides the shape for all
                self._laws[fold] += (Law(choose_degrees(size[past].ravel(), change[past].ravel())),)
            total += np.nansum(self._laws[fold][n].crps(size[own], change[own]), axis=1)
        return total

    def _scale(self, size: Floats, change: Floats, asset: NDArray[np.int64]) -> Floats:
        """Mean absolute change by asset in units of ``size``, (assets,)."""
        moved, seen = np.abs(change), np.isfinite(change)
        found = np.ones(len(self.cases.assets))
        for which in range(len(found)):
            own = (asset == which)[:, None] & seen
            if own.any():
                found[which] = moved[own].sum() / size[own].sum()
        return found
