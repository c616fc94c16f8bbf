"""Train, validation and test: three periods in time, a horizon of embargo between them."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime

from synthcity.durations import DAY
from synthcity.errors import ConfigError
from synthcity.market.times import format_duration, format_time, parse_time
from synthcity.schema import build, key


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


def read_period(span: object) -> Period:
    """Read ``[start, end]``; a date as ``end`` is exclusive: the period stops as that day begins."""
    if isinstance(span, str) or not isinstance(span, Sequence) or len(span) != 2:
        raise ValueError("a pair [start, end], e.g. [2025-01-01, 2025-08-01]")
    return Period(start=parse_time(span[0]), end=parse_time(span[1]))


def write_period(period: Period) -> list[str]:
    return [format_time(period.start), format_time(period.end)]


@dataclass(frozen=True, kw_only=True)
class Periods:
    """The three periods of a search, in this order and without overlap.

    Periods may touch. The embargo comes from ``prompt_range``: the forecast windows of one period end before
    the next begins, so prompts of two periods lie at least one horizon apart and share no realised change.
    """

    train: Period = key(parse=read_period, write=write_period)
    validation: Period = key(parse=read_period, write=write_period)
    test: Period = key(parse=read_period, write=write_period)

    def __post_init__(self) -> None:
        for earlier, later in (("train", "validation"), ("validation", "test")):
            first, second = getattr(self, earlier), getattr(self, later)
            if second.start < first.end:
                raise ConfigError(
                    f"{later} ({second}) begins before {earlier} ({first}) ends; "
                    "periods must follow one another: train, validation, test"
                )

    @classmethod
    def parse(cls, spans: Mapping[str, object]) -> Periods:
        """Read ``{"train": [start, end], "validation": ..., "test": ...}``."""
        return build(cls, spans, where="periods")

    def check_horizon(self, horizon: int) -> None:
        """Refuse periods in which no forecast of ``horizon`` seconds fits.

        Raises:
            ConfigError: a period is shorter than the horizon.
        """
        for field in fields(self):
            prompt_range(getattr(self, field.name), horizon)


_RECENT = re.compile(r"last (\d{1,4}) (day|week|month|year)s?")
_TEST_SHARE = 1 / 6  # of a relative span, and as much for validation


def recent_start(text: str, end: int) -> int:
    """Return when a span such as ``last 12 months`` that ends at ``end`` (unix s, the start of a day) begins.

    Raises:
        ConfigError: it is no such span.
    """
    match = _RECENT.fullmatch(text.strip())
    number = int(match[1]) if match else 0
    if match is None or not number:
        raise ConfigError(f"{text!r} is no span; write e.g. last 12 months, last 90 days or [2025-01-01, 2025-08-01]")
    if match[2] in ("day", "week"):
        return end - number * DAY * (7 if match[2] == "week" else 1)
    stop = datetime.fromtimestamp(end, UTC)
    months = 12 * stop.year + stop.month - 1 - number * (12 if match[2] == "year" else 1)
    year, month = divmod(months, 12)
    if year < 1971:
        raise ConfigError(f"{text!r} begins before there were prices; write e.g. last 12 months")
    day = min(stop.day, monthrange(year, month + 1)[1])
    return int(datetime(year, month + 1, day, tzinfo=UTC).timestamp())


def recent_periods(text: str, end: int) -> Periods:
    """Cut a span such as ``last 12 months`` into train, validation (a sixth) and test (the last sixth), in whole days.

    Args:
        end: unix seconds at which the last whole day of prices ends.

    Raises:
        ConfigError: it is no such span, or too short to be cut.
    """
    start = recent_start(text, end)
    days = max(1, round((end - start) / DAY * _TEST_SHARE))
    if end - start < 3 * DAY:
        raise ConfigError(f"{text!r} is too short for train, validation and test; write at least last 3 days")
    test, validation = end - days * DAY, end - 2 * days * DAY
    return Periods(
        train=Period(start=start, end=validation),
        validation=Period(start=validation, end=test),
        test=Period(start=test, end=end),
    )


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
