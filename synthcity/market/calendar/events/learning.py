"""Learning how volatility answers to events, from bars alone.

The size of each return around an event is taken relative to the season (the mean size within half an hour of the same
time of an ordinary New York day) and to the level before the event (half an average with a half-life of 6 hours, half
with 5 days, both without events). What events do multiplies, so where two overlap each is told apart from the other by
turns, until it settles. A multiplier is then drawn in two steps: that of a kind over all assets towards 1 by the weight
of ``_TOWARDS_ONE`` events, that of an asset towards its kind's by ``_TOWARDS_KIND``. Few events hence say little.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthcity.durations import DAY, HOUR, MINUTE
from synthcity.market.bars import Bars, Floats, Times
from synthcity.market.calendar.clock import new_york, weekday_and_second
from synthcity.market.calendar.events.calendar import Calendar
from synthcity.market.calendar.events.event import Event, Kind
from synthcity.market.calendar.events.response import (
    EDGES,
    FIRST_SECOND,
    LAST_SECOND,
    NUM_BINS,
    OPENING,
    Curve,
    Responses,
)
from synthcity.market.calendar.week import Flags

_SILENT = frozenset({Kind.HOLIDAY, Kind.HALF_DAY, Kind.ROLL, Kind.EQUITY_EXPIRY, Kind.CRYPTO_EXPIRY})
"""Sessions and weeks know of closed days; what expiries seem to do is what any Friday does."""

_TOWARDS_ONE, _TOWARDS_KIND, _TOWARDS_EVEN = 3.0, 6.0, 6.0
_FAST_HOURS, _SLOW_DAYS = 6.0, 5.0
_SWEEPS = 12
_SLOT = 300
_SMOOTH = 6  # slots either side


@dataclass(frozen=True, kw_only=True)
class _Around:
    """Steps around the events of one kind, of one asset."""

    step: Times  # (n,), position of the step
    bin: Times  # (n,)
    weight: Floats  # (n,), so that all of an event in a bin weigh 1


@dataclass(frozen=True, eq=False, kw_only=True)
class _Asset:
    size: Floats  # (n,), of returns around events, in units of what is ordinary
    expected: Floats  # (n,), by all events as learned so far
    around: Mapping[Kind, _Around]
    curves: dict[Kind, Floats]


def learn(bars: Mapping[str, Bars], calendar: Calendar, until: int, minutes: Mapping[str, Bars]) -> Responses:
    """Learn from what was observed at ``until`` (unix seconds) or before.

    Args:
        bars: by asset, of five minutes.
        calendar: of which the events that are sure are used.
        until: what comes later changes nothing.
        minutes: bars of one minute by asset, if only of a part of the time, for the spread of the first five minutes.
    """
    known = {asset: one.until(until) for asset, one in bars.items()}
    first = min((int(one.time[0]) for one in known.values() if len(one)), default=until)
    events = [e for e in calendar.between(first, until) if e.is_sure and e.kind not in _SILENT]
    assets = {
        asset: found
        for asset, one in known.items()
        if (found := _asset(one, [e for e in events if e.asset in ("", asset)])) is not None
    }
    pooled = {kind: np.ones(NUM_BINS) for kind in Kind if any(kind in one.around for one in assets.values())}
    for _ in range(_SWEEPS):
        for kind in pooled:
            pooled[kind] = _sweep(kind, [one for one in assets.values() if kind in one.around])
    return Responses(
        until=until,
        num_events={kind: sum(e.kind is kind for e in events) for kind in pooled},
        pooled={kind: _plain(curve) for kind, curve in pooled.items()},
        own={
            kind: {asset: _plain(one.curves[kind]) for asset, one in assets.items() if kind in one.around}
            for kind in pooled
        },
        opening=_opening({asset: one.until(until) for asset, one in minutes.items()}, events),
    )


def _asset(bars: Bars, events: Iterable[Event]) -> _Asset | None:
    """Relate the returns around events to ordinary ones; None if there are too few of either."""
    opens, size = _sizes(bars)
    windows = [(e, *np.searchsorted(opens, (e.time + FIRST_SECOND, e.time + LAST_SECOND)).tolist()) for e in events]
    is_ordinary = np.ones(len(opens), dtype=bool)
    for _, first, last in windows:
        is_ordinary[first:last] = False
    if is_ordinary.sum() < DAY // _SLOT:
        return None
    relative = size / _season(opens, size, is_ordinary)
    level = _level(relative, is_ordinary)
    found: dict[Kind, list[tuple[Times, Times, Floats]]] = {}
    scaled = np.full(len(opens), np.nan)
    for event, first, last in windows:
        step = np.arange(first, last)
        step = step[np.isfinite(relative[first:last])]
        if not len(step) or not np.isfinite(level[first]):
            continue
        scaled[step] = relative[step] / level[first]
        which = np.searchsorted(EDGES, (opens[step] - event.time) // MINUTE, side="right") - 1
        weight = 1.0 / np.bincount(which, minlength=NUM_BINS)[which]
        found.setdefault(event.kind, []).append((step, which, weight))
    around = {
        kind: _Around(
            step=np.concatenate([one[0] for one in parts]),
            bin=np.concatenate([one[1] for one in parts]),
            weight=np.concatenate([one[2] for one in parts]),
        )
        for kind, parts in found.items()
    }
    return _Asset(
        size=scaled, expected=np.ones(len(opens)), around=around, curves={kind: np.ones(NUM_BINS) for kind in around}
    )


def _sweep(kind: Kind, assets: list[_Asset]) -> Floats:
    """Learn the curves of a kind anew, given those of all others; return the one of all assets together."""
    seen, usual, count = (np.zeros((len(assets), NUM_BINS)) for _ in range(3))
    others = []
    for row, one in enumerate(assets):
        at = one.around[kind]
        others.append(one.expected[at.step] / one.curves[kind][at.bin])
        seen[row] = np.bincount(at.bin, at.weight * one.size[at.step], NUM_BINS)
        usual[row] = np.bincount(at.bin, at.weight * others[row], NUM_BINS)
        count[row] = np.bincount(at.bin, at.weight, NUM_BINS)
    # assets answer to the same event alike: together they count it once
    once = count.max(axis=0) / np.maximum(count.sum(axis=0), 1.0)
    pooled = (once * seen.sum(axis=0) + _TOWARDS_ONE) / (once * usual.sum(axis=0) + _TOWARDS_ONE)
    own = (seen + _TOWARDS_KIND * pooled) / (usual + _TOWARDS_KIND)
    for row, one in enumerate(assets):
        at = one.around[kind]
        one.curves[kind] = own[row]
        one.expected[at.step] = others[row] * own[row][at.bin]
    return np.asarray(pooled)


def _opening(minutes: Mapping[str, Bars], events: Iterable[Event]) -> Curve:
    """How the volatility of the first five minutes is spread over them, all kinds and assets together."""
    shares = []
    for bars in minutes.values():
        opens, size = _sizes(bars)
        for event in events:
            at = np.searchsorted(opens, event.time + MINUTE * np.arange(OPENING))
            at = np.minimum(at, len(opens) - 1)
            if len(opens) and (opens[at] == event.time + MINUTE * np.arange(OPENING)).all() and size[at].any():
                shares.append(size[at] / size[at].mean())
    mean = (np.sum(shares, axis=0) + _TOWARDS_EVEN) / (len(shares) + _TOWARDS_EVEN) if shares else np.ones(OPENING)
    return _plain(mean / np.sqrt(np.mean(mean**2)))


def _sizes(bars: Bars) -> tuple[Times, Floats]:
    """When the steps open whose closes both were observed, (n,), and the sizes of their log returns."""
    near = np.diff(bars.time) == bars.resolution
    return bars.time[1:][near], np.abs(np.diff(np.log(bars.close)))[near]


def _season(opens: Times, size: Floats, is_ordinary: Flags) -> Floats:
    """Mean size of ordinary steps within half an hour of the same time of day, weekdays and week-ends apart, (n,).

    As wide as the season that the multipliers are for; NaN where there is none.
    """
    day, second = weekday_and_second(new_york(opens))
    slot, is_weekend = second // _SLOT, day >= 5
    season = np.full(len(opens), np.nan)
    for kind in (is_weekend, ~is_weekend):
        use = kind & is_ordinary
        total = _smooth(np.bincount(slot[use], size[use], DAY // _SLOT).astype(np.float64, copy=False))
        count = _smooth(np.bincount(slot[use], minlength=DAY // _SLOT).astype(np.float64))
        mean = np.divide(total, count, out=np.full(len(total), np.nan), where=total > 0)
        season[kind] = mean[slot[kind]]
    return season


def _smooth(table: Floats) -> Floats:
    """Sum over neighbouring slots, round the clock."""
    return np.asarray(sum(np.roll(table, shift) for shift in range(-_SMOOTH, _SMOOTH + 1)))


def _level(relative: Floats, is_ordinary: Flags) -> Floats:
    """Mean relative size of ordinary steps before each step, (n,)."""
    ordinary = pd.Series(np.where(is_ordinary, relative, np.nan))
    fast, slow = (
        ordinary.ewm(halflife=hours * HOUR / _SLOT, ignore_na=True).mean() for hours in (_FAST_HOURS, _SLOW_DAYS * 24)
    )
    return np.asarray(((fast + slow) / 2).shift(1).to_numpy(), dtype=np.float64)


def _plain(curve: Floats) -> Curve:
    return tuple(round(float(value), 3) for value in curve)
