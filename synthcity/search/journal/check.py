"""The one check that every event passes, when it is written and when it is read."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar, cast, get_args, get_type_hints

import numpy as np
from pydantic import TypeAdapter, ValidationError

from synthcity.errors import DataError
from synthcity.search.journal.events import Event

E = TypeVar("E")


def check(event: Mapping[str, object]) -> Event:
    """Return ``event`` as plain JSON data; NumPy scalars become Python's, numbers that JSON lacks become null.

    Raises:
        DataError: its kind is unknown, or a field is missing or wrong.
    """
    kind = str(event.get("kind"))
    if kind not in _kinds():
        raise DataError(f"no event is of the kind {kind[:60]!r}")
    plain = _plain(event)
    _hold(kind, plain)
    return cast(Event, plain)


def check_read(event: dict[str, object]) -> Event:
    """Return ``event``, which was read from JSON and so is plain data; raises as ``check``."""
    kind = str(event.get("kind"))
    if kind not in _kinds():
        raise DataError(f"no event is of the kind {kind[:60]!r}")
    _hold(kind, event)
    return cast(Event, event)


def _hold(kind: str, plain: object) -> None:
    try:
        _adapter(_kinds()[kind]).validate_python(plain, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where, got = ".".join(map(str, first["loc"])), str(first["input"])
        wrong = "is missing" if first["type"] == "missing" else f"is {got[:60]!r}: {first['msg']}"
        raise DataError(f"{where} of the event {kind!r} {wrong}") from error


def kind_of(cls: type[E]) -> str:
    """Return the kind of the events that ``cls`` describes."""
    return str(get_args(get_type_hints(cls)["kind"])[0])


@cache
def _kinds() -> dict[str, Any]:
    found = {kind_of(cls): cls for cls in get_args(Event)}
    return dict(sorted(found.items()))


@cache
def _adapter(cls: Any) -> TypeAdapter[Any]:
    return TypeAdapter(cls)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
