"""What a validator asks for."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from synthcity.durations import DAY
from synthcity.errors import unknown_name
from synthcity.sn50.competitions import known_assets

_MILLISECONDS = 10**11  # as seconds the year 5138


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """One request for an ensemble of price paths. All times are whole seconds, UTC.

    ``start_time`` may be given as unix seconds, as ISO 8601 text (UTC unless it says otherwise) or as a datetime with a
    time zone; it is kept as unix seconds.

    Raises:
        ValueError: no rules know the asset, or a number is none that can be asked for.

    Example:
        >>> prompt = Prompt(asset="BTC", start_time="2025-11-01T12:00")
        >>> prompt.start_time, prompt.num_steps
        (1761998400, 288)
    """

    asset: str
    start_time: int
    time_increment: int = 300
    time_length: int = DAY
    num_simulations: int = 1000

    def __post_init__(self) -> None:
        if self.asset not in known_assets():
            raise ValueError(unknown_name("asset", self.asset, known_assets()))
        object.__setattr__(self, "start_time", _unix_seconds(self.start_time))
        for name in ("time_increment", "time_length", "num_simulations"):
            value = _whole(name, getattr(self, name))
            object.__setattr__(self, name, value)
            if value <= 0:
                raise ValueError(f"{name} must be positive, got {value}")
        if self.time_length % self.time_increment:
            raise ValueError(f"time_length {self.time_length} is no multiple of {self.time_increment}")

    @property
    def num_steps(self) -> int:
        """Steps after t0; a path has one point more."""
        return self.time_length // self.time_increment

    @property
    def grid(self) -> NDArray[np.int64]:
        """Unix times of the path's points, (num_steps + 1,), beginning with ``start_time``."""
        return self.start_time + self.time_increment * np.arange(self.num_steps + 1, dtype=np.int64)


def _unix_seconds(value: object) -> int:
    moment = value
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            raise ValueError(f"start_time {value!r} is no time; write e.g. 2025-11-01T12:30 (UTC)") from None
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if isinstance(moment, datetime):
        if moment.tzinfo is None:
            raise ValueError(f"start_time {value} has no time zone; write e.g. datetime(2025, 11, 1, tzinfo=UTC)")
        if moment.microsecond:
            raise ValueError(f"start_time {value} has a fraction of a second; times are whole seconds")
        moment = int(moment.timestamp())
    seconds = _whole("start_time", moment)
    if not 0 <= seconds < _MILLISECONDS:
        remedy = "these are milliseconds or finer" if seconds > 0 else "times count from 1970"
        raise ValueError(f"start_time must be unix seconds, got {seconds}: {remedy}")
    return seconds


def _whole(name: str, value: object) -> int:
    try:
        if isinstance(value, bool):
            raise TypeError
        return operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise ValueError(f"{name} must be a whole number, got {value!r}") from None
