"""When markets trade: round the clock, in regular US sessions, or 23 hours a weekday.

Holidays and half days are left out, see ``holidays``: this calendar shapes the simulated market. What a venue really
trades is learned from its bars, see ``activity``.
"""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from synthcity.market.bars import Times
from synthcity.market.times import DAY

_HOUR = 3600
_NEW_YORK = ZoneInfo("America/New_York")


class Session(Enum):
    """A weekly pattern of trading, in New York time."""

    ALWAYS = "round the clock"
    US_EQUITY = "Monday to Friday 09:30 to 16:00"
    FUTURES = "Sunday 18:00 to Friday 17:00, closed 17:00 to 18:00"


def is_open(session: Session, times: Times) -> NDArray[np.bool_]:
    """Whether a bar that opens at each of ``times`` (unix seconds, (n,)) is traded."""
    if session is Session.ALWAYS:
        return np.ones(len(times), dtype=bool)
    day, second = weekday_and_second(new_york(times))
    if session is Session.US_EQUITY:
        return np.asarray((day < 5) & (second >= 9.5 * _HOUR) & (second < 16 * _HOUR))
    before_break, after_break = second < 17 * _HOUR, second >= 18 * _HOUR
    return np.asarray(((day < 5) & before_break) | (((day < 4) | (day == 6)) & after_break))


def new_york(times: Times) -> Times:
    """Shift unix seconds (n,) so that they read as New York wall time.

    The offset is taken once a UTC day, at noon: clocks change on Sunday mornings, when no session is open.
    """
    days, position = np.unique(times // DAY, return_inverse=True)
    offsets = [_offset(int(day) * DAY + DAY // 2) for day in days]
    return times + np.array(offsets, dtype=np.int64)[position]


def weekday_and_second(times: Times) -> tuple[Times, Times]:
    """Day of the week (0 is Monday) and second of the day of each of ``times``."""
    return (times // DAY + 3) % 7, times % DAY  # 1970-01-01 was a Thursday


def _offset(seconds: int) -> int:
    offset = datetime.fromtimestamp(seconds, _NEW_YORK).utcoffset()
    assert offset is not None
    return int(offset.total_seconds())
