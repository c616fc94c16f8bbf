"""Train, validation and test: three periods in time, a horizon of embargo between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from synthcity.errors import ConfigError, unknown_name
from synthcity.market.times import format_duration, format_time, parse_time


@dataclass(frozen=True, kw_only=True)
class Period:
    """Half-open span of time ``[start, end)``, unix seconds UTC."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if self.start >= self.end:
            raise ConfigError(f"period {self} ends before it begins; its first date must be the earlier one")

    def __str__(self) -> str:
        return f"{format_time(self.start)} to {format_time(self.end)}"

    @classmethod
    def parse(cls, span: Sequence[str | int | date]) -> Period:
        """Read ``[start, end]``; a date as ``end`` is exclusive: the period stops as that day begins."""
        if isinstance(span, str) or not isinstance(span, Sequence) or len(span) != 2:
            raise ConfigError(f"a period is a pair [start, end], e.g. [2025-01-01, 2025-08-01], not {span!r}")
        return cls(start=parse_time(span[0]), end=parse_time(span[1]))


@dataclass(frozen=True, kw_only=True)
class Periods:
    """The three periods of a search, in this order and without overlap.

    Periods may touch. The embargo comes from ``prompt_range``: the forecast windows of one period end before
    the next begins, so prompts of two periods lie at least one horizon apart and share no realised change.
    """

    train: Period
    validation: Period
    test: Period

    def __post_init__(self) -> None:
        for earlier, later in (("train", "validation"), ("validation", "test")):
            first, second = getattr(self, earlier), getattr(self, later)
            if second.start < first.end:
                raise ConfigError(
                    f"{later} ({second}) begins before {earlier} ({first}) ends; "
                    "periods must follow one another: train, validation, test"
                )

    @classmethod
    def parse(cls, spans: Mapping[str, Any]) -> Periods:
        """Read ``{"train": [start, end], "validation": ..., "test": ...}``."""
        names = [field.name for field in fields(cls)]
        for name in spans:
            if name not in names:
                raise ConfigError(unknown_name("period", name, names))
        for name in names:
            if name not in spans:
                raise ConfigError(f"period {name!r} is missing; give train, validation and test")
        return cls(**{name: Period.parse(spans[name]) for name in names})

    def check_horizon(self, horizon: int) -> None:
        """Refuse periods in which no forecast of ``horizon`` seconds fits.

        Raises:
            ConfigError: a period is shorter than the horizon.
        """
        for field in fields(self):
            prompt_range(getattr(self, field.name), horizon)


def prompt_range(period: Period, horizon: int) -> tuple[int, int]:
    """Return the first and the last start time, both inclusive, of prompts whose window lies in ``period``.

    Raises:
        ConfigError: the period is shorter than ``horizon`` seconds.
    """
    if horizon <= 0:
        raise ValueError(f"horizon must be positive, got {horizon}")
    if period.end - period.start < horizon:
        raise ConfigError(f"period {period} is shorter than one horizon of {format_duration(horizon)}; widen it")
    return period.start, period.end - horizon
