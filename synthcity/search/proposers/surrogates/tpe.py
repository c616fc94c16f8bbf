"""Optuna's tree-structured Parzen estimator over the conditional space.

Its study is rebuilt from the history for every call, so there is nothing to save, restore or get out of step. It is
told of some hundreds of trials at most: the model takes no more than 25 as good, and the density of the others is known
from them.
"""

from __future__ import annotations

import warnings

import numpy as np
import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial

from synthcity.nets.parameters import Parameter
from synthcity.search.candidates.candidate import Proposal
from synthcity.search.candidates.space import Space, Value, to_config
from synthcity.search.journal.history import TrialHistory, TrialRecord
from synthcity.search.proposers.surrogates.study import distribution, trial_of
from synthcity.search.proposers.surrogates.told import told

_STARTUP_TRIALS = 10
_MOST_TOLD = 400


class TPEProposer:
    """Multivariate TPE; draws at random until ten trials are told."""

    name = "tpe"

    def __init__(self, space: Space) -> None:
        self._space = space
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._made: dict[tuple[str, str], tuple[float | None, FrozenTrial | None]] = {}  # a study takes a copy of each

    def propose(self, count: int, history: TrialHistory, rng: np.random.Generator) -> list[Proposal]:
        """Ask for ``count`` points; those asked for together know of each other as running."""
        study = self._study(history, int(rng.integers(2**32)))
        proposals = []
        for _ in range(count):
            trial = study.ask()
            flat = self._space.walk(lambda parameter, trial=trial: _suggest(trial, parameter))  # type: ignore[misc]
            proposals.append(Proposal(config=to_config(flat), rationale="expected improvement under TPE"))
        return proposals

    def _study(self, history: TrialHistory, seed: int) -> optuna.Study:
        study = optuna.create_study(direction="minimize", sampler=self._sampler(seed))
        for record, score in told(history, _MOST_TOLD):
            trial = self._trial(record, score)
            if trial is not None:
                study.add_trial(trial)
        return study

    def _trial(self, record: TrialRecord, score: float | None) -> FrozenTrial | None:
        key = record.id, record.candidate.hash
        if key not in self._made or self._made[key][0] != score:
            self._made[key] = score, trial_of(self._space, record, score)
        return self._made[key][1]

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
