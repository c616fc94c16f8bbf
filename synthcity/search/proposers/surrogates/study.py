"""Networks and trials as Optuna knows them."""

from __future__ import annotations

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
from synthcity.search.journal.history import TrialRecord


def trial_of(space: Space, record: TrialRecord, score: float | None) -> FrozenTrial | None:
    """Return a trial with its score, or as running without one; None where its config lies outside the space."""
    found = parameters_of(space, record.candidate.config)
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
