"""Days on which US exchanges stay shut or close early, by the rules that NYSE publishes (Rule 7.2).

Closures that no rule foresees (storms, days of mourning) are not here: the bars of the day tell them.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache

import numpy as np
from numpy.typing import NDArray

from synthcity.durations import DAY
from synthcity.market.bars import Times
from synthcity.market.calendar.clock import new_york

EARLY_CLOSE = 13 * 3600  # second of the day, New York
_EPOCH = date(1970, 1, 1)
_JUNETEENTH_SINCE = 2022
_MONDAY, _THURSDAY, _FRIDAY, _SATURDAY, _SUNDAY = 0, 3, 4, 5, 6


def us_shut(times: Times) -> NDArray[np.bool_]:
    """Whether a holiday keeps a US exchange shut at each of ``times`` (unix seconds, (n,)).

    Early closes count from 13:00 New York time on. Ordinary hours and week-ends do not: see ``sessions.is_open``.
    """
    local = new_york(times)
    days, position = np.unique(local // DAY, return_inverse=True)
    closing = np.array([_closing_second(int(day)) for day in days], dtype=np.int64)
    return np.asarray(local % DAY >= closing[position])


@cache
def holidays(year: int) -> frozenset[date]:
    """Weekdays of ``year`` without trading."""
    days = {
        _weekday_of_month(year, 1, _MONDAY, 3),
        _weekday_of_month(year, 2, _MONDAY, 3),
        _easter(year) - timedelta(days=2),
        _weekday_of_month(year, 6, _MONDAY, 1) - timedelta(days=7),  # the last Monday of May
        _shifted(date(year, 7, 4)),
        _weekday_of_month(year, 9, _MONDAY, 1),
        _weekday_of_month(year, 11, _THURSDAY, 4),
        _shifted(date(year, 12, 25)),
    }
    if date(year, 1, 1).weekday() != _SATURDAY:  # then it is not made up for: the old year's books close that Friday
        days.add(_shifted(date(year, 1, 1)))
    if year >= _JUNETEENTH_SINCE:
        days.add(_shifted(date(year, 6, 19)))
    return frozenset(days)


@cache
def early_closes(year: int) -> frozenset[date]:
    """Weekdays of ``year`` on which trading ends at 13:00."""
    days = {
        date(year, 7, 3),
        _weekday_of_month(year, 11, _THURSDAY, 4) + timedelta(days=1),
        date(year, 12, 24),
    }
    return frozenset(day for day in days if day.weekday() <= _FRIDAY and day not in holidays(year))


def _closing_second(day: int) -> int:
    """Second of the day from which a holiday keeps the exchange shut; past the day's end on ordinary days."""
    moment = _EPOCH + timedelta(days=day)
    if moment in holidays(moment.year):
        return 0
    return EARLY_CLOSE if moment in early_closes(moment.year) else DAY


def _shifted(day: date) -> date:
    """A holiday on Saturday is kept on Friday, one on Sunday on Monday."""
    return day + timedelta(days={_SATURDAY: -1, _SUNDAY: 1}.get(day.weekday(), 0))


def _weekday_of_month(year: int, month: int, weekday: int, number: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (number - 1))


def _easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (Meeus, Jones and Butcher)."""
    a, (b, c) = year % 19, divmod(year, 100)
    d = (19 * a + b - b // 4 - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    e = (32 + 2 * (b % 4) + 2 * (c // 4) - d - c % 4) % 7
    month, day = divmod(d + e - 7 * ((a + 11 * d + 22 * e) // 451) + 114, 31)
    return date(year, month, day + 1)
