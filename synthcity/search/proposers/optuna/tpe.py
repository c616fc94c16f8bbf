"""Optuna's tree-structured Parzen estimator over the conditional space.

It is told of some hundreds of trials at most: the model takes no more than 25 as good, and the density of the others is
known from them.
"""

from __future__ import annotations

import warnings

import numpy as np
import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from synthcity.nets.parameters import Parameter
from synthcity.search.candidates.candidate import Proposal
from synthcity.search.candidates.space import Value, to_config
from synthcity.search.journal.history import TrialHistory
from synthcity.search.proposers.optuna.study import OptunaProposer, distribution

_STARTUP_TRIALS = 10


class TPEProposer(OptunaProposer):
    """Multivariate TPE; draws at random until ten trials are told."""

    name = "tpe"

    def propose(self, count: int, history: TrialHistory, rng: np.random.Generator) -> list[Proposal]:
        """Ask for ``count`` points; those asked for together know of each other as running."""
        study = self._study(history, int(rng.integers(2**32)))
        proposals = []
        for _ in range(count):
            trial = study.ask()
            flat = self._space.walk(lambda parameter, trial=trial: _suggest(trial, parameter))  # type: ignore[misc]
            proposals.append(Proposal(config=to_config(flat), rationale="expected improvement under TPE"))
        return proposals

    def _sampler(self, seed: int) -> optuna.samplers.BaseSampler:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return optuna.samplers.TPESampler(
                seed=seed, multivariate=True, group=True, n_startup_trials=_STARTUP_TRIALS, constant_liar=True
            )


def _suggest(trial: optuna.Trial, parameter: Parameter) -> Value:
    found = distribution(parameter)
    if isinstance(found, IntDistribution):
        return trial.suggest_int(parameter.name, found.low, found.high, log=found.log)
    if isinstance(found, FloatDistribution):
        return trial.suggest_float(parameter.name, found.low, found.high, log=found.log)
    assert isinstance(found, CategoricalDistribution)
    return trial.suggest_categorical(parameter.name, found.choices)
