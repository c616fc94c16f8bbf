"""How future steps are expected to trade, told by the same steps of the last weeks: covariates for networks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from synthcity.durations import DAY, HOUR
from synthcity.market.bars import Floats, Times
from synthcity.market.calendar.clock import WEEK, new_york
from synthcity.market.calendar.holidays import us_shut
from synthcity.market.calendar.sessions import Session, is_open
from synthcity.market.calendar.week import SHORTEST_CLOSURE, Flags, long_runs

ACTIVITY_NAMES = ("open", "gap", "since_open", "to_close", "holiday")
_LAG_WEEKS = (1, 2, 3, 4)
_LOOK_BACK, _LOOK_AHEAD = 5 * DAY, 6 * HOUR
_LONGEST_HORIZON = 6 * DAY
_LONGEST_GAP_HOURS = 64.0  # of an equity's week-end


def activity_features(observed: Times, grid: Times, resolution: int, horizon: int) -> NDArray[np.float32]:
    """Describe how the steps that END at ``grid`` are expected to trade: (n, 5), columns ``ACTIVITY_NAMES``.

    A row at ``g`` uses nothing observed after ``g - horizon``, so all of a window's future is known as it starts; in
    fact nothing of the six days before ``g``, and the rules of holidays.

    ``open`` is the share of the last four weeks in which the same step of the New York week was observed, 1 where
    there was none yet, 0 on holidays of an asset that keeps them. ``gap`` marks the first step after a closure by
    the log of the hours closed, about 1 for a week-end. ``since_open`` and ``to_close`` decay by an hour from the
    opening and towards the close. ``holiday`` is 1 while a holiday shuts US exchanges, whatever the asset does.
    An asset that never closes has 1, 0, 0, 0 and that flag.

    Args:
        observed: when bars were observed, sorted unix seconds (m,); give those that ``traded`` where a feed repeats
            the price of a closed market.
        grid: regular unix seconds (n,).
        resolution: seconds of a step, and between two points of ``grid``.
        horizon: seconds that a window reaches ahead.

    Raises:
        ValueError: ``horizon`` is longer than six days, which weekly lags cannot serve.
    """
    if horizon > _LONGEST_HORIZON:
        raise ValueError(f"weekly lags tell nothing {horizon} s ahead; the horizon may be {_LONGEST_HORIZON} s at most")
    if not len(grid):
        return np.zeros((0, len(ACTIVITY_NAMES)), dtype=np.float32)
    behind, ahead = _LOOK_BACK // resolution, (_LOOK_AHEAD + SHORTEST_CLOSURE) // resolution
    wide = grid[0] + resolution * np.arange(-behind, len(grid) + ahead, dtype=np.int64)
    holiday, keeps = us_shut(wide - 1), _keeps_holidays(observed, wide)
    share = np.where(holiday & keeps, 0.0, _open_share(observed, wide, keeps))
    is_closed = long_runs(share < 0.5, SHORTEST_CLOSURE // resolution)
    hours_closed, since_open, to_close = _hours_around(is_closed, resolution)
    columns = [
        share,
        np.log1p(hours_closed) / np.log1p(_LONGEST_GAP_HOURS),
        np.exp(-since_open),
        np.where(to_close <= _LOOK_AHEAD / HOUR, np.exp(-to_close), 0.0),
        holiday.astype(np.float64),
    ]
    return np.stack(columns, axis=1)[behind : behind + len(grid)].astype(np.float32)


def _open_share(observed: Times, grid: Times, keeps_holidays: Flags) -> Floats:
    """Share of the last four weeks, (n,), in which the step at the same New York time was observed.

    Weeks in which a holiday that the asset keeps fell on the step tell nothing.
    """
    seen, passed = np.zeros(len(grid)), np.zeros(len(grid))
    if not len(observed):
        return np.ones(len(grid))
    local = new_york(grid - 1)
    for weeks in _LAG_WEEKS:
        then = grid - weeks * WEEK
        then = then + (local - weeks * WEEK) - new_york(then - 1)  # by the clock on the wall
        at = np.minimum(np.searchsorted(observed, then), len(observed) - 1)
        tells = (then >= observed[0]) & ~(keeps_holidays & us_shut(then - 1))
        seen += tells & (observed[at] == then)
        passed += tells
    return np.where(passed > 0, seen / np.maximum(passed, 1), 1.0)


def _keeps_holidays(observed: Times, grid: Times) -> Flags:
    """Whether, a week before each of ``grid``, all lay in US hours for four weeks and none on a holiday for seven."""
    outside, broken = (
        np.concatenate([[0], np.cumsum(flags)])
        for flags in (~is_open(Session.US_EQUITY, observed - 1), us_shut(observed - 1))
    )
    early, first, last = (np.searchsorted(observed, grid - weeks * WEEK, side="right") for weeks in (8, 5, 1))
    return np.asarray((last > first) & (outside[last] == outside[first]) & (broken[last] == broken[early]))


def _hours_around(is_closed: Flags, resolution: int) -> tuple[Floats, Floats, Floats]:
    """Hours closed before the first open step (else 0), hours since it and hours to the last open one (else inf)."""
    row, n = np.arange(len(is_closed)), len(is_closed)
    was_closed = np.concatenate([[False], is_closed[:-1]])
    opening = ~is_closed & was_closed
    last_open = np.maximum.accumulate(np.where(is_closed, -1, row))
    before = np.concatenate([[-1], last_open[:-1]])
    closed = np.where(opening & (before >= 0), row - before - 1, 0)
    since = row - np.maximum.accumulate(np.where(opening, row, -n))
    closing = ~is_closed & np.concatenate([is_closed[1:], [False]])
    until = np.minimum.accumulate(np.where(closing, row, 2 * n)[::-1])[::-1] - row
    hours = resolution / HOUR
    return (
        closed * hours,
        np.where(is_closed | (since > row), np.inf, since * hours),
        np.where(is_closed | (until > n), np.inf, until * hours),
    )
