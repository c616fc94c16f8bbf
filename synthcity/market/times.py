"""Times and resolutions as people write them. Inside, every time is a whole unix second, UTC."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

from synthcity.durations import DAY, HOUR, MINUTE, parse_duration
from synthcity.errors import ConfigError

_FIRST_YEAR, _LAST_YEAR = 1970, 2100
_FIRST, _LAST = 10**8, 4_102_444_800  # unix seconds; smaller ones are dates such as 20251101, larger ones milliseconds


def parse_time(value: str | int | date) -> int:
    """Return unix seconds of an ISO 8601 date or time (UTC unless it says otherwise), or of a unix second.

    A date means its first second. YAML readers hand over ``date`` and ``datetime`` objects: both are taken.

    Raises:
        ConfigError: it is none of these.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        if not _FIRST <= value < _LAST:
            raise ConfigError(f"{value} is no unix second between 1973 and 2100; write a date as e.g. 2025-11-01")
        return value
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        raise ConfigError(f"{value!r} is no time; write e.g. 2025-11-01 or 2025-11-01T12:30 (UTC)") from None
    if not _FIRST_YEAR <= moment.year < _LAST_YEAR:
        raise ConfigError(f"{value!r} is far away; a time lies between 1970 and 2100")
    seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    if seconds != int(seconds):
        raise ConfigError(f"{value!r} has a fraction of a second; times are whole seconds")
    return int(seconds)


def quarter_of_day(seconds: int) -> str:
    """Return the first hour (UTC) of the six in which a unix second lies: 00, 06, 12 or 18."""
    return f"{seconds % DAY // (6 * HOUR) * 6:02d}"


def format_time(seconds: int) -> str:
    """Write unix seconds as ``2025-11-01 12:30`` (UTC), with seconds only where there are any."""
    moment = datetime.fromtimestamp(int(seconds), UTC)
    return moment.strftime("%Y-%m-%d %H:%M:%S" if moment.second else "%Y-%m-%d %H:%M")


def format_duration(seconds: int) -> str:
    """Write a duration with its two largest units: ``65h 30m``, ``5m``, ``12s``."""
    hours, rest = divmod(int(seconds), 3600)
    minutes, rest = divmod(rest, 60)
    parts = [f"{value}{unit}" for value, unit in ((hours, "h"), (minutes, "m"), (rest, "s")) if value]
    return " ".join(parts[:2]) or "0s"


def parse_resolution(text: str) -> int:
    """Return the seconds of a resolution such as ``1m``, ``5m``, ``1h`` or ``300s``.

    Raises:
        ConfigError: it is none, or does not divide a day into whole bars.
    """
    seconds = int(parse_duration(text)) if re.fullmatch("[1-9][0-9]{0,4}[smh]", text) else 0
    if not seconds or DAY % seconds:
        raise ConfigError(f"{text!r} is no resolution; write e.g. 1m or 5m, a whole part of a day")
    return seconds


def format_resolution(seconds: int) -> str:
    """Write a resolution the short way: ``1m``, ``5m``, ``1h``, ``10s``."""
    length, unit = next(each for each in ((HOUR, "h"), (MINUTE, "m"), (1, "s")) if seconds % each[0] == 0)
    return f"{seconds // length}{unit}"
