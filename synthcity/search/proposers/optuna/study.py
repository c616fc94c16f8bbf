"""What Optuna's samplers are told of a search.

The study is rebuilt from the history for every call, so there is nothing to save, restore or get out of step. It is
told of so many trials at most, the best and the newest of a long search, since the time of a call grows with all of
them. Candidates of other sources are told like its own, each network once, by the mean of its seeds, and one that was
stopped by what it would have come to (``standings``). A failed candidate is told as complete with the running 90th
percentile of the scores, which keeps a sampler away from where networks crash without letting one enormous value bend
its model.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

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
from synthcity.search.candidates.candidate import Config
from synthcity.search.candidates.space import Flat, Space, Value
from synthcity.search.journal.history import FAILED, TrialHistory, TrialRecord
from synthcity.search.journal.standings import whole_scores

_FAILURE_QUANTILE = 90.0
_GOOD = 25  # told of a long search, however old


class OptunaProposer(ABC):
    """Holds a study in step with the history; who inherits says which sampler, and how a config is told."""

    most_told = 400

    def __init__(self, space: Space) -> None:
        self._space = space
        optuna.logging.set_verbosity(optuna.logging.ERROR)  # that it misses greenlet, which hardly makes it faster
        self._made: dict[tuple[str, str], tuple[float | None, FrozenTrial | None]] = {}  # a study takes a copy of each

    @abstractmethod
    def _sampler(self, seed: int) -> optuna.samplers.BaseSampler:
        """Return the sampler, drawing from ``seed``."""

    def _parameters(self, config: Config) -> tuple[Flat, dict[str, BaseDistribution]] | None:
        return parameters_of(self._space, config)

    def _study(self, history: TrialHistory, seed: int) -> optuna.Study:
        study = optuna.create_study(direction="minimize", sampler=self._sampler(seed))
        whole = whole_scores(history.records)
        finished = [record for record in history.first_trainings if record.finished and record.score is not None]
        scores = [whole[record.candidate.hash] for record in finished]
        worst = float(np.percentile(scores, _FAILURE_QUANTILE)) if scores else 0.0
        for record in worth_telling(history, self.most_told):
            trial = self._told(record, whole.get(record.candidate.hash), worst)
            if trial is not None:
                study.add_trial(trial)
        return study

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
        found = self._parameters(record.candidate.config)
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


def worth_telling(history: TrialHistory, most: int) -> list[TrialRecord]:
    """Return all networks of a short search; of a long one the best, the newest and those that run, in their order."""
    records = history.first_trainings
    finished = [record for record in records if record.finished]
    if len(finished) <= most:
        return records
    best = [record for record in history.ranked if record.finished][:_GOOD]
    told = {record.id for record in (*best, *finished[_GOOD - most :])}
    return [record for record in records if record.id in told or not record.finished]


def parameters_of(space: Space, config: Config) -> tuple[Flat, dict[str, BaseDistribution]] | None:
    """Return what of a config is varied, and the distributions, as Optuna has them; None where it lies outside."""
    distributions: dict[str, BaseDistribution] = {}
    try:
        flat = space.flatten(config)
    except ValueError:
        return None

    def note(parameter: Parameter) -> Value:
        distributions[parameter.name] = distribution(parameter)
        return flat[parameter.name]

    space.walk(note)
    return {name: flat[name] for name in distributions}, distributions


def attributes(record: TrialRecord) -> dict[str, str]:
    """Who proposed it and, where it failed, why: a study keeps what its values do not say."""
    attributes = {"source": record.candidate.source}
    if record.failure is not None:
        attributes["failure"] = " ".join(f"{record.failure.get('class')}: {record.failure.get('message')}".split())
    if record.diagnosis is not None:
        attributes["cause"] = record.diagnosis.cause
    return attributes


def distribution(parameter: Parameter) -> BaseDistribution:
    """Return a parameter's range as Optuna has it."""
    if parameter.kind == "bool":
        return CategoricalDistribution((False, True))
    if parameter.kind == "choice":
        return CategoricalDistribution(parameter.choices)
    assert parameter.low is not None
    assert parameter.high is not None
    if parameter.kind == "int":
        return IntDistribution(int(parameter.low), int(parameter.high), log=parameter.log)
    return FloatDistribution(float(parameter.low), float(parameter.high), log=parameter.log)
