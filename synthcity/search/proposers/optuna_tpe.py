"""Optuna's tree-structured Parzen estimator over the conditional space.

The study is rebuilt from the history for every call, so there is nothing to save, restore or get out of step. It is
told of so many trials at most, the best and the newest of a long search: the model takes no more than 25 as good, and
the density of the others is known from some hundreds, while the time of a call grows with all of them. Candidates of
other sources are told like its own, each network once, by the mean of its seeds, and one that was stopped by what it
would have come to (``standings``). A failed candidate is told as complete with the running 90th percentile of the
scores, which keeps TPE away from where networks crash without letting one enormous value bend the model.
"""

from __future__ import annotations

import warnings

import numpy as np
import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import FrozenTrial, TrialState, create_trial

from synthcity.nets.parameters import Parameter
from synthcity.search.candidates.candidate import Config, Proposal
from synthcity.search.candidates.space import Flat, Space, Value, to_config
from synthcity.search.journal.history import FAILED, TrialHistory, TrialRecord
from synthcity.search.journal.standings import whole_scores

_STARTUP_TRIALS = 10
_FAILURE_QUANTILE = 90.0
_GOOD = 25  # the most that Optuna takes as good
_MOST_TOLD = 400


class TPEProposer:
    """Multivariate TPE; draws at random until ten trials are told."""

    name = "tpe"

    def __init__(self, space: Space) -> None:
        self._space = space
        optuna.logging.set_verbosity(optuna.logging.WARNING)
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
        whole = whole_scores(history.records)
        finished = [record for record in history.first_trainings if record.finished and record.score is not None]
        scores = [whole[record.candidate.hash] for record in finished]
        worst = float(np.percentile(scores, _FAILURE_QUANTILE)) if scores else 0.0
        for record in _worth_telling(history):
            trial = self._told(record, whole.get(record.candidate.hash), worst)
            if trial is not None:
                study.add_trial(trial)
        return study

    def _sampler(self, seed: int) -> optuna.samplers.BaseSampler:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return optuna.samplers.TPESampler(
                seed=seed, multivariate=True, group=True, n_startup_trials=_STARTUP_TRIALS, constant_liar=True
            )

    def _told(self, record: TrialRecord, score: float | None, worst: float) -> FrozenTrial | None:
        """Return the record as Optuna knows it, None where the config lies outside the space."""
        score = worst if record.status == FAILED else score
        # a stopped trial without a rung never said anything: as if it were still running
        score = score if record.finished else None
        key = record.id, record.candidate.hash
        if key not in self._made or self._made[key][0] != score:
            self._made[key] = score, self._make(record, score)
        return self._made[key][1]

    def _make(self, record: TrialRecord, score: float | None) -> FrozenTrial | None:
        found = parameters_of(self._space, record.candidate.config)
        if found is None:
            return None
        flat, distributions = found
        return create_trial(
            state=TrialState.RUNNING if score is None else TrialState.COMPLETE,
            value=score,
            params=flat,
            distributions=distributions,
            user_attrs=attributes(record),
        )


def _worth_telling(history: TrialHistory) -> list[TrialRecord]:
    """Return all networks of a short search; of a long one the best, the newest and those that run, in their order."""
    records = history.first_trainings
    finished = [record for record in records if record.finished]
    if len(finished) <= _MOST_TOLD:
        return records
    best = [record for record in history.ranked if record.finished][:_GOOD]
    told = {record.id for record in (*best, *finished[_GOOD - _MOST_TOLD :])}
    return [record for record in records if record.id in told or not record.finished]


def parameters_of(space: Space, config: Config) -> tuple[Flat, dict[str, BaseDistribution]] | None:
    """Return a config's parameters and their distributions as Optuna has them; None where it lies outside the space."""
    distributions: dict[str, BaseDistribution] = {}
    try:
        flat = space.flatten(config)
    except ValueError:
        return None

    def note(parameter: Parameter) -> Value:
        distributions[parameter.name] = _distribution(parameter)
        return flat[parameter.name]

    space.walk(note)
    return flat, distributions


def attributes(record: TrialRecord) -> dict[str, str]:
    """Who proposed it and, where it failed, why: a study keeps what its values do not say."""
    attributes = {"source": record.candidate.source}
    if record.failure is not None:
        attributes["failure"] = " ".join(f"{record.failure.get('class')}: {record.failure.get('message')}".split())
    if record.diagnosis is not None:
        attributes["cause"] = record.diagnosis.cause
    return attributes


def _suggest(trial: optuna.Trial, parameter: Parameter) -> Value:
    distribution = _distribution(parameter)
    if isinstance(distribution, IntDistribution):
        return trial.suggest_int(parameter.name, distribution.low, distribution.high, log=distribution.log)
    if isinstance(distribution, FloatDistribution):
        return trial.suggest_float(parameter.name, distribution.low, distribution.high, log=distribution.log)
    assert isinstance(distribution, CategoricalDistribution)
    return trial.suggest_categorical(parameter.name, distribution.choices)


def _distribution(parameter: Parameter) -> BaseDistribution:
    if parameter.kind == "bool":
        return CategoricalDistribution((False, True))
    if parameter.kind == "choice":
        return CategoricalDistribution(parameter.choices)
    assert parameter.low is not None
    assert parameter.high is not None
    if parameter.kind == "int":
        return IntDistribution(int(parameter.low), int(parameter.high), log=parameter.log)
    return FloatDistribution(float(parameter.low), float(parameter.high), log=parameter.log)
