"""When an asset trades, as its own past tells: the learned week behind sessions, and covariates for networks.

No asset has a calendar of its own here. What traded in past weeks is expected to trade again in the same five minutes
of the New York week, the clock by which equities, gold, oil and their perpetuals live; a feed that repeats the last
price through a closed night did not trade. Only holidays come from a rule, since weeks cannot teach them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthcity.market.bars import Bars, Floats, Times
from synthcity.market.holidays import us_shut
from synthcity.market.sessions import Session, is_open, new_york
from synthcity.market.times import DAY

Flags = NDArray[np.bool_]

WEEK = 7 * DAY
SLOT_SECONDS = 300
SLOTS_A_DAY = DAY // SLOT_SECONDS
_LEARNED_WEEKS = 8
_HALF_LIFE_WEEKS = 2.0
_BELIEF_WEEKS = 0.5
_CLOSED_BELOW = 0.25  # a slot that traded in a smaller share of its weeks is closed
_THIN_BELOW = 0.75
_SHORTEST_CLOSURE = 3600 // SLOT_SECONDS  # slots
_SMOOTH = 3  # slots either side, to judge whether a night is thin

ACTIVITY_NAMES = ("open", "gap", "since_open", "to_close", "holiday")
_LAG_WEEKS = (1, 2, 3, 4)
_HOUR = 3600
_LOOK_BACK, _LOOK_AHEAD = 5 * DAY, 6 * _HOUR
_LONGEST_HORIZON = 6 * DAY
_LONGEST_GAP_HOURS = 64.0  # of an equity's week-end


def week_slot(observed: Times) -> Times:
    """Return the five minutes of the New York week, 0 to 2015 from Monday midnight, of steps that END at ``observed``.

    Steps shorter than five minutes share the slot that they build.
    """
    return np.asarray((new_york(observed - 1) + 3 * DAY) % WEEK // SLOT_SECONDS)


def traded(bars: Bars) -> Flags:
    """Whether each bar moved the price, (n,); one after a gap counts as moving, the very first does not."""
    moved = np.zeros(len(bars), dtype=bool)
    moved[1:] = (bars.close[1:] != bars.close[:-1]) | (np.diff(bars.time) > bars.resolution)
    return moved


@dataclass(frozen=True, eq=False, kw_only=True)
class Week:
    """What past weeks say of the coming one, by slot of the New York week.

    Attributes:
        closed: (2016,) whether the slot does not trade.
        thin: (2016,) whether it trades, but often without moving the price.
        keeps_holidays: whether it rests on the holidays of US exchanges: it trades within their hours alone and has
            not traded on a holiday of the last year.
        closure_seconds: median length of the week's closures, 0 without any.
    """

    closed: Flags
    thin: Flags
    keeps_holidays: bool
    closure_seconds: int

    @property
    def rests(self) -> bool:
        """Whether there is a closed or a thin slot at all."""
        return bool((self.closed | self.thin).any() and not self.closed.all())

    def opens(self, observed: Times) -> Flags:
        """Whether the steps that END at ``observed`` (unix seconds, (n,)) are expected to trade."""
        is_expected = ~self.closed[week_slot(observed)]
        return is_expected & ~us_shut(observed - 1) if self.keeps_holidays else is_expected


def learn_week(bars: Bars) -> Week:
    """Learn an asset's week from its last eight ones.

    The share of past steps of a slot that traded forgets by half in two weeks, so that a slot that begins to trade is
    open a week later; it is drawn, by the weight of half a week, towards the same slot of all weekdays or of both days
    of the week-end. A closed spell below an hour is taken for chance. Slots that were never passed are open.
    """
    recent = bars.time >= (bars.time[-1] if len(bars) else 0) - _LEARNED_WEEKS * WEEK
    observed = bars.observed[recent]
    if not len(observed):
        never = np.zeros(7 * SLOTS_A_DAY, dtype=bool)
        return Week(closed=never, thin=never, keeps_holidays=False, closure_seconds=0)
    all_moves = _count(observed[traded(bars)[recent]], observed[-1])
    all_passes = _count(np.arange(observed[0], observed[-1] + 1, bars.resolution), observed[-1])
    belief = _BELIEF_WEEKS * max(1, SLOT_SECONDS // bars.resolution)
    kind = _by_kind(all_moves) / np.maximum(_by_kind(all_passes), 1e-9)
    share = (all_moves + belief * kind) / (all_passes + belief)
    closed = _round_the_week((share < _CLOSED_BELOW) & (_by_kind(all_passes) > 0), _SHORTEST_CLOSURE)
    moves, passes = (_smooth(_by_kind(np.where(closed, 0.0, counts))) for counts in (all_moves, all_passes))
    thin = ~closed & (moves < _THIN_BELOW * passes)
    return Week(
        closed=closed,
        thin=thin,
        keeps_holidays=_within_us_hours(~closed) and not _holiday_trades(bars),
        closure_seconds=_typical_run(closed),
    )


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
    behind, ahead = _LOOK_BACK // resolution, (_LOOK_AHEAD + _SHORTEST_CLOSURE * SLOT_SECONDS) // resolution
    wide = grid[0] + resolution * np.arange(-behind, len(grid) + ahead, dtype=np.int64)
    holiday, keeps = us_shut(wide - 1), _keeps_holidays(observed, wide)
    share = np.where(holiday & keeps, 0.0, _open_share(observed, wide, keeps))
    is_closed = _long_runs(share < 0.5, _SHORTEST_CLOSURE * SLOT_SECONDS // resolution)
    hours_closed, since_open, to_close = _hours_around(is_closed, resolution)
    columns = [
        share,
        np.log1p(hours_closed) / np.log1p(_LONGEST_GAP_HOURS),
        np.exp(-since_open),
        np.where(to_close <= _LOOK_AHEAD / _HOUR, np.exp(-to_close), 0.0),
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
    hours = resolution / _HOUR
    return (
        closed * hours,
        np.where(is_closed | (since > row), np.inf, since * hours),
        np.where(is_closed | (until > n), np.inf, until * hours),
    )


def _count(observed: Times, now: int) -> Floats:
    """How many of ``observed`` fall into each slot of the week, (2016,), each by the weight of its age."""
    weights = 0.5 ** ((now - observed) / (_HALF_LIFE_WEEKS * WEEK))
    return np.bincount(week_slot(observed), weights=weights, minlength=7 * SLOTS_A_DAY).astype(np.float64, copy=False)


def _by_kind(counts: Floats) -> Floats:
    """Sum over the days of each kind, weekdays or week-end, and give every day its kind's sum: (2016,)."""
    days = counts.reshape(7, SLOTS_A_DAY)
    return np.concatenate([np.tile(days[:5].sum(axis=0), 5), np.tile(days[5:].sum(axis=0), 2)])


def _smooth(counts: Floats) -> Floats:
    """Sum over neighbouring slots, round the week."""
    return np.asarray(sum(np.roll(counts, shift) for shift in range(-_SMOOTH, _SMOOTH + 1)))


def _round_the_week(flags: Flags, shortest: int) -> Flags:
    """``_long_runs`` of a week that begins anew where it ends."""
    if flags.all():
        return flags
    start = int(np.argmin(flags))
    return np.roll(_long_runs(np.roll(flags, -start), shortest), start)


def _long_runs(flags: Flags, shortest: int) -> Flags:
    """Keep runs of true ``flags`` (n,) of at least ``shortest``."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    kept = np.zeros(len(flags) + 1, dtype=np.int8)
    first, last = edges[::2], edges[1::2]
    long = last - first >= shortest
    np.add.at(kept, first[long], 1)
    np.add.at(kept, last[long], -1)
    return np.cumsum(kept[:-1]).astype(bool)


def _typical_run(closed: Flags) -> int:
    """Median seconds of the closed runs of a week, 0 without any."""
    start = int(np.argmin(closed))  # a run round the week's end stays whole
    edges = np.flatnonzero(np.diff(np.concatenate([[False], np.roll(closed, -start), [False]]).astype(np.int8)))
    return int(np.median(edges[1::2] - edges[::2])) * SLOT_SECONDS if len(edges) else 0


def _holiday_trades(bars: Bars) -> bool:
    """Whether a bar of the last year traded while a holiday shut US exchanges."""
    recent = bars.time > bars.time[-1] - 52 * WEEK
    return bool((us_shut(bars.time[recent]) & traded(bars)[recent]).any())


def _within_us_hours(is_open_slot: Flags) -> bool:
    """Whether every open slot lies in the regular hours of US exchanges."""
    monday = 1_735_534_800  # 2024-12-30 00:00 in New York
    ends = monday + SLOT_SECONDS * np.arange(1, len(is_open_slot) + 1, dtype=np.int64)
    return bool(is_open_slot.any() and (is_open(Session.US_EQUITY, ends - 1) | ~is_open_slot).all())
