"""Whoever tests: an input by what it adds to the baseline's volatility, a forecaster by what the network scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from synthcity.authored.forecaster import AuthoredForecaster
from synthcity.market.periods import Period
from synthcity.research.inputs import Input
from synthcity.research.measuring.contest import Contest
from synthcity.research.measuring.tested import Tested
from synthcity.research.measuring.trial import Judge

Candidate = Input | AuthoredForecaster


@dataclass(frozen=True, eq=False)
class Examiner:
    """Tests one candidate; beside it counts what is of its kind."""

    judge: Judge
    contest: Contest

    def test(
        self,
        one: Candidate,
        folds: Mapping[str, Period],
        *,
        beside: Sequence[Candidate] = (),
        confidence: float = 0.95,
    ) -> Tested:
        """Compare what there is with it and without it.

        Raises:
            InputRefused, Misbehaved: it broke its contract.
            ConfigError: a fold has too little before it, or no prompt.
        """
        if isinstance(one, AuthoredForecaster):
            forecasters = [other for other in beside if isinstance(other, AuthoredForecaster)]
            return self.contest.test([one], folds, beside=forecasters, confidence=confidence)
        inputs = [other for other in beside if not isinstance(other, AuthoredForecaster)]
        return self.judge.test([one], folds, beside=inputs, confidence=confidence)

    def admit(self, one: Candidate, fold: Period) -> None:
        """Ask a candidate about a few prompts of a fold, and measure nothing.

        Raises:
            InputRefused, Misbehaved: it broke its contract there.
            ConfigError: the fold holds no prompt.
        """
        if isinstance(one, AuthoredForecaster):
            self.contest.admit(one, fold)
        else:
            self.judge.admit(one, fold)

    def forget(self, one: Candidate) -> None:
        """Let go of what is known of a candidate that is not tested again."""
        if isinstance(one, AuthoredForecaster):
            self.contest.forget(one)
        else:
            self.judge.forget(one)
