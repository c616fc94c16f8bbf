"""The week in which an asset trades, learned from its own past.

No asset has a calendar of its own here. What traded in past weeks is expected to trade again in the same five minutes
of the New York week, the clock by which equities, gold, oil and their perpetuals live; a feed that repeats the last
price through a closed night did not trade. Only holidays come from a rule, since weeks cannot teach them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthcity.durations import DAY
from synthcity.market.bars import Bars, Floats, Times
from synthcity.market.calendar.clock import WEEK, new_york
from synthcity.market.calendar.holidays import us_shut
from synthcity.market.calendar.sessions import Session, is_open

Flags = NDArray[np.bool_]

SLOT_SECONDS = 300
SLOTS_A_DAY = DAY // SLOT_SECONDS
SHORTEST_CLOSURE = 3600  # seconds; a shorter closed spell is taken for chance
_LEARNED_WEEKS = 8
_HALF_LIFE_WEEKS = 2.0
_BELIEF_WEEKS = 0.5
_CLOSED_BELOW = 0.25  # a slot that traded in a smaller share of its weeks is closed
_THIN_BELOW = 0.75
_SMOOTH = 3  # slots either side, to judge whether a night is thin


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
    closed = _round_the_week((share < _CLOSED_BELOW) & (_by_kind(all_passes) > 0), SHORTEST_CLOSURE // SLOT_SECONDS)
    moves, passes = (_smooth(_by_kind(np.where(closed, 0.0, counts))) for counts in (all_moves, all_passes))
    thin = ~closed & (moves < _THIN_BELOW * passes)
    return Week(
        closed=closed,
        thin=thin,
        keeps_holidays=_within_us_hours(~closed) and not _holiday_trades(bars),
        closure_seconds=_typical_run(closed),
    )


def long_runs(flags: Flags, shortest: int) -> Flags:
    """Keep the runs of true ``flags`` (n,) of at least ``shortest``."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    kept = np.zeros(len(flags) + 1, dtype=np.int8)
    first, last = edges[::2], edges[1::2]
    long = last - first >= shortest
    np.add.at(kept, first[long], 1)
    np.add.at(kept, last[long], -1)
    return np.cumsum(kept[:-1]).astype(bool)


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
    """``long_runs`` of a week that begins anew where it ends."""
    if flags.all():
        return flags
    start = int(np.argmin(flags))
    return np.roll(long_runs(np.roll(flags, -start), shortest), start)


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
