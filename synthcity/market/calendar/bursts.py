"""Bursts of volatility on the marks of the clock, learned from an asset's own past.

Programs trade on the full hour, its quarters and every fifth minute (arXiv 2109.12142), so volatility jumps on a mark
and ebbs until the next one: on the full hour a five-minute step of crypto moves by about a sixth more than its
neighbours. A profile of the day that is smoothed over more than a few minutes loses all of it.

What is learned is the share of an hour's movement that falls into each part of it. A share needs no model of the level:
calm and wild hours, days and seasons count alike. With ``x = |r| / mean of |r| in the hour`` and S returns an hour,

    m(s)    = mean of x over all hours, drawn towards 1 by the weight of so many hours
    c(h, s) = mean of x / m(s) over the days of one hour of the day, drawn towards 1 by the weight of so many days
    multiplier(h, minute) = m(s) c(h, s) w(minute)

where w spreads a five-minute return over its minutes as minute bars of four coins showed it. From minute bars m is
learned by minute, drawn towards what their five-minute sums would give.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synthcity.durations import DAY, HOUR, MINUTE
from synthcity.market.bars import Bars, Floats, Times
from synthcity.market.calendar.week import SHORTEST_CLOSURE, long_runs
from synthcity.schema import key

_MINUTES, _HOURS = 60, 24
_FIVE = 5
_LONGEST_REST = 14  # days without trading before the last bar
_LARGEST_SHARE = 5.0  # of the hour's mean: one jump shall not make a mark
# mean |r| of each minute after a fifth one, relative to all: BTC, ETH, SOL and XRP, 4 May to 24 June 2025
_WITHIN_FIVE = np.array([1.062, 1.027, 0.999, 0.982, 0.930])


@dataclass(frozen=True, kw_only=True)
class BurstConfig:
    """How long to look back, and how much the beliefs weigh that nothing bursts.

    ``hours`` of a flat hour; ``days`` of an hour of the day like all others; ``minute_hours`` of minutes that follow
    their five as in other coins.
    """

    history_days: float = key(56.0, low=1, high=3660)
    hours: float = key(100.0, low=0, high=1e6)
    days: float = key(200.0, low=0, high=1e6)
    minute_hours: float = key(1000.0, low=0, high=1e6)


@dataclass(frozen=True, eq=False, kw_only=True)
class Bursts:
    """An effect of minutes, see ``minutes.Effect``: ``multiplier`` (24, 60) by hour of the UTC day and minute."""

    multiplier: Floats

    def __call__(self, minutes: Times) -> Floats:
        """Return the multipliers of minutes that open at ``minutes`` (n,)."""
        return self.multiplier.take(minutes // MINUTE % (_HOURS * _MINUTES))


def learn_bursts(bars: Bars, config: BurstConfig) -> Bursts:
    """Learn from the last days of ``bars`` in which there was trading."""
    since = bars.time[-1] - (config.history_days + _LONGEST_REST) * DAY if len(bars) else 0
    hours, shares = hourly_shares(bars.slice(int(np.searchsorted(bars.time, since)), len(bars)))
    recent = hours > hours[-1:] - config.history_days * _HOURS
    hours, shares = hours[recent], shares[recent]
    total = np.zeros((_HOURS, shares.shape[1]))
    np.add.at(total, hours % _HOURS, shares)
    count = np.bincount(hours % _HOURS, minlength=_HOURS)[:, None]
    return Bursts(multiplier=multipliers(total, count.astype(np.float64), config))


@dataclass(frozen=True, eq=False, kw_only=True)
class PastBursts:
    """An effect of minutes of which each knows only what lay days before it.

    Attributes:
        first_day: of ``multiplier``, counted from 1970.
        multiplier: (days, 24 * 60), learned from what lay before each day.
        lag: seconds between the beginning of such a day and the first minute that uses it.
    """

    first_day: int
    multiplier: Floats
    lag: int

    def __call__(self, minutes: Times) -> Floats:
        """Return the multipliers of minutes that open at ``minutes`` (n,)."""
        day = np.clip((minutes - self.lag) // DAY - self.first_day, 0, len(self.multiplier) - 1)
        return np.asarray(self.multiplier[day, minutes % DAY // MINUTE])


def past_bursts(bars: Bars, first: int, last: int, *, days: int, ahead: int) -> PastBursts:
    """Learn for minutes from ``first`` to ``last`` (unix seconds) from the ``days`` that were over ``ahead`` s before.

    The same for many minutes at once as for those of one prompt: what is known is renewed at midnight.
    """
    lag = ahead + SHORTEST_CLOSURE  # which tells whether a price at the end of an hour stands still
    first_day, last_day = (first - lag) // DAY, (last - lag) // DAY
    hours, shares = hourly_shares(bars)
    row = hours // _HOURS - first_day + days
    known = (row >= 0) & (row < last_day - first_day + days)
    total = np.zeros((last_day - first_day + days + 1, _HOURS, shares.shape[1]))
    count = np.zeros((len(total), _HOURS, 1))
    total[row[known] + 1, hours[known] % _HOURS] = shares[known]
    count[row[known] + 1, hours[known] % _HOURS] = 1.0
    total, count = (part[days:] - part[:-days] for part in (total.cumsum(axis=0), count.cumsum(axis=0)))
    found = multipliers(total, count, BurstConfig())
    return PastBursts(first_day=first_day, multiplier=found.reshape(len(found), -1), lag=lag)


def hourly_shares(bars: Bars) -> tuple[Times, Floats]:
    """Return whole hours, counted from 1970, (h,), and how their movement was shared out (h, returns an hour).

    Hours with a gap or without any movement are left out, as is the first return after either. A price that stands
    still for an hour is the last one of a closed market: a gap. Other bars than of one and five minutes tell nothing.
    """
    known = np.isfinite(bars.close) & (bars.close > 0)
    stands = np.diff(bars.close, prepend=np.nan) == 0
    usable = known & ~long_runs(stands, SHORTEST_CLOSURE // bars.resolution)
    if bars.resolution not in (MINUTE, _FIVE * MINUTE) or not usable.any():
        return np.zeros(0, dtype=np.int64), np.zeros((0, _MINUTES // _FIVE))
    time, size = bars.time[usable], HOUR // bars.resolution
    first = int(time[0]) // HOUR * HOUR
    log_close = np.full(((int(time[-1]) - first) // HOUR + 1) * size + 1, np.nan)
    log_close[(time - first) // bars.resolution + 1] = np.log(bars.close[usable])
    moves = np.abs(np.diff(log_close)).reshape(-1, size)
    level = moves.mean(axis=1, keepdims=True)
    whole = level[:, 0] > 0  # NaN is not
    shares = np.minimum(moves[whole] / level[whole], _LARGEST_SHARE)
    return first // HOUR + np.flatnonzero(whole), shares


def multipliers(total: Floats, count: Floats, config: BurstConfig) -> Floats:
    """Turn sums of shares (..., 24, s) of ``count`` (..., 24, 1) hours into multipliers (..., 24, 60)."""
    fives = total.reshape(*total.shape[:-1], _MINUTES // _FIVE, -1).mean(axis=-1)
    mark = _drawn(fives.sum(axis=-2, keepdims=True), count.sum(axis=-2, keepdims=True), config.hours)
    own = _drawn(fives / mark, count, config.days)
    found = np.repeat(mark * own, _FIVE, axis=-1) * np.tile(_WITHIN_FIVE, _MINUTES // _FIVE)
    if total.shape[-1] == _MINUTES:
        alike = np.repeat(mark, _FIVE, axis=-1) * np.tile(_WITHIN_FIVE, _MINUTES // _FIVE)
        shares, hours = (part.sum(axis=-2, keepdims=True) for part in (total, count))
        found *= _drawn(shares / alike, hours, config.minute_hours)
    return np.asarray(found / np.sqrt(np.mean(found**2, axis=-1, keepdims=True)))


def _drawn(total: Floats, count: Floats, belief: float) -> Floats:
    """Mean of ``count`` values, drawn towards 1 by the weight of ``belief`` values."""
    weight = count + belief
    return np.divide(
        total + belief, weight, out=np.ones(np.broadcast_shapes(total.shape, weight.shape)), where=weight > 0
    )
