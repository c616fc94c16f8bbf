"""What the trials of a search had in common and varied: the table behind slices and parallel coordinates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypedDict

from synthcity.nets.config import RECIPE
from synthcity.nets.parameters import Parameter
from synthcity.search.arms import RERUN
from synthcity.search.candidates.candidate import Config
from synthcity.search.candidates.space import Space, Value
from synthcity.search.journal.record import FAILED, TrialRecord

_FEWEST = 5  # trials; fewer are read from their table
_MOST = 8  # parameters shown
_FIRST_BLOCK = "block0"  # a network of none has no such choice, and is told with "none"


class ParameterRow(TypedDict):
    """One parameter: each network's value by its first training's id, and the ends of what was tried or the names."""

    name: str
    scale: Literal["linear", "log", "choice"]
    low: float
    high: float
    choices: list[str]
    values: dict[str, float | str]


def parameter_rows(records: Sequence[TrialRecord], max_blocks: int, first: Sequence[str]) -> list[ParameterRow]:
    """Return the parameters that all scored networks have and that were varied; none of too few.

    A network that was trained again on another seed is told once, by its first training.

    Args:
        records: of the search.
        max_blocks: of its space; a trial outside of it is left out.
        first: names of those that matter most, which come first.
    """
    space = Space.from_registry(max_blocks, RECIPE)
    first_trainings = [record for record in records if record.candidate.source != RERUN]
    scored = [record for record in first_trainings if record.status != FAILED and record.score is not None]
    told = {record.id: found for record in scored if (found := _parameters(space, record.candidate.config))}
    if len(told) < _FEWEST:
        return []
    names = varied([{name: value for name, (_, value) in found.items()} for found in told.values()])
    names.sort(key=lambda name: (first.index(name) if name in first else len(first), name))
    return [_row(name, {trial: found[name] for trial, found in told.items()}) for name in names[:_MOST]]


def varied(trials: Sequence[Mapping[str, Value]]) -> list[str]:
    """Return the names of parameters that all ``trials`` have and that differ among them."""
    shared = set.intersection(*(set(trial) for trial in trials)) if trials else set()
    return sorted(name for name in shared if len({str(trial[name]) for trial in trials}) > 1)


def _parameters(space: Space, config: Config) -> dict[str, tuple[Parameter, Value]]:
    try:
        flat = space.flatten(config)
    except ValueError:
        return {}
    found: dict[str, tuple[Parameter, Value]] = {}

    def note(parameter: Parameter) -> Value:
        found[parameter.name] = (parameter, flat[parameter.name])
        return flat[parameter.name]

    space.walk(note)
    none = Parameter(name=_FIRST_BLOCK, kind="choice", default="none", choices=("none",))
    found.setdefault(_FIRST_BLOCK, (none, "none"))
    return found


def _row(name: str, told: Mapping[str, tuple[Parameter, Value]]) -> ParameterRow:
    parameter = max((parameter for parameter, _ in told.values()), key=lambda parameter: len(parameter.choices))
    if parameter.kind in ("choice", "bool"):
        values: dict[str, float | str] = {trial: str(value) for trial, (_, value) in told.items()}
        seen, order = {*values.values()}, ["none", "False", "True", *map(str, parameter.choices)]
        names = [name for name in order if name in seen]
        return ParameterRow(name=name, scale="choice", low=0.0, high=0.0, choices=names, values=values)
    numbers = {trial: float(value) for trial, (_, value) in told.items()}
    low, high = min(numbers.values()), max(numbers.values())
    scale: Literal["linear", "log"] = "log" if parameter.log and low > 0 else "linear"
    return ParameterRow(name=name, scale=scale, low=low, high=high, choices=[], values={**numbers})
