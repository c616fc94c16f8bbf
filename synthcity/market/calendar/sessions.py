"""When markets trade: round the clock, in regular US sessions, or 23 hours a weekday.

Holidays and half days are left out, see ``holidays``: this calendar shapes the simulated market. What a venue really
trades is learned from its bars, see ``week``.
"""

from __future__ import annotations

from enum import Enum

import numpy as np
from numpy.typing import NDArray

from synthcity.durations import HOUR
from synthcity.market.bars import Times
from synthcity.market.calendar.clock import new_york, weekday_and_second


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
        return np.asarray((day < 5) & (second >= 9.5 * HOUR) & (second < 16 * HOUR))
    before_break, after_break = second < 17 * HOUR, second >= 18 * HOUR
    return np.asarray(((day < 5) & before_break) | (((day < 4) | (day == 6)) & after_break))
