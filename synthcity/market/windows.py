"""From bars to what a network sees: causal features on a regular grid.

``FeatureTable`` turns the bars of one asset into arrays indexed by grid step; row ``i`` holds only what was observed
at ``time[i]``. The same code serves training (a year at once) and a live prompt (the last weeks): no second path.
Gaps stay NaN in returns and are masked, never filled.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthcity.durations import DAY
from synthcity.errors import DataError
from synthcity.market.bars import Bars, Floats, Times
from synthcity.market.calendar.activity import ACTIVITY_NAMES, activity_features
from synthcity.market.calendar.bursts import past_bursts
from synthcity.market.calendar.features import CALENDAR_NAMES, calendar_features
from synthcity.market.calendar.minutes import Effect, over_steps
from synthcity.market.calendar.week import traded
from synthcity.market.foretold import Foretold

Array32 = NDArray[np.float32]

_MINUTE, _HOUR = 60, 3600
_SMOOTH_SECONDS = 900  # half width over which a slot of the day is averaged
_MIN_COUNT = 3
_BOUND = 4.0  # of log ratios
_LARGEST_SHIFT = 1.5  # the largest of a day's returns is about this far above the anchor, in logs
_PARKINSON = 1.0 / np.sqrt(4.0 * np.log(2.0))  # E[range^2] = 4 ln 2 sigma^2 for a driftless diffusion

SEQUENCE_NAMES = ("return", "range", "profile")
KNOWN_NAMES = (*CALENDAR_NAMES, *ACTIVITY_NAMES)  # what is known of a step before it comes
_WEEK = 7


@dataclass(frozen=True, kw_only=True)
class WindowSpec:
    """Which grid a competition needs, and over which spans the past is summarised.

    ``scales`` and ``range_scales``: seconds over which volatility is measured from returns and from ranges; without any
    ``range_scales`` no range is read, so that bars and mere closes give the same features;
    ``return_scales``: seconds of signed returns; ``anchor_seconds``: span of the volatility in whose units a network
    works; ``profile_days``: days over which a slot of the day is averaged; ``burst_days``: days from which bursts are
    learned, 0 for networks that know none; ``calendar``: whether they are told what is known to come; ``inputs``:
    whether they are told what inputs of the user's library say of the volatility of each step.
    ``warmup_days`` of history must lie before a window.
    """

    increment: int
    horizon: int
    scales: tuple[int, ...]
    range_scales: tuple[int, ...]
    return_scales: tuple[int, ...]
    anchor_seconds: int
    profile_days: tuple[int, ...]
    warmup_days: float
    burst_days: int = 0
    calendar: bool = False
    inputs: bool = False

    @classmethod
    def of(
        cls, increment: int, horizon: int, *, ranges: bool = True, bursts: bool = True, calendar: bool = False
    ) -> WindowSpec:
        """Return the spans that suit a grid: days for five-minute steps, hours for minutes.

        A minute store is young and an hour is short, so long spans would only tell a network what the date is.

        Args:
            ranges: whether the bars have any; a network that learns from closes alone must read none later.
            bursts: whether to learn the bursts on the marks of the clock, see ``calendar.bursts``.
            calendar: whether the market has one, see ``calendar.events``.
        """
        if increment >= 5 * _MINUTE:
            return cls(
                increment=increment,
                horizon=horizon,
                scales=(900, _HOUR, 3 * _HOUR, 6 * _HOUR, 12 * _HOUR, DAY, 3 * DAY, 7 * DAY, 30 * DAY),
                range_scales=(900, _HOUR, 3 * _HOUR, 12 * _HOUR, DAY) if ranges else (),
                return_scales=(900, _HOUR, 6 * _HOUR, DAY),
                anchor_seconds=7 * DAY,
                profile_days=(1, 3, 7, 14, 28),
                warmup_days=7.0,
                burst_days=56 if bursts else 0,
                calendar=calendar,
            )
        return cls(
            increment=increment,
            horizon=horizon,
            scales=(180, 300, 900, 1800, _HOUR, 3 * _HOUR, 6 * _HOUR, 12 * _HOUR, DAY, 3 * DAY),
            range_scales=(180, 900, _HOUR, 3 * _HOUR, 12 * _HOUR) if ranges else (),
            return_scales=(300, 900, _HOUR, 6 * _HOUR),
            anchor_seconds=DAY,
            profile_days=(1, 3, 7),
            warmup_days=3.0,
            burst_days=28 if bursts else 0,
            calendar=calendar,
        )

    @property
    def steps_per_day(self) -> int:
        return DAY // self.increment

    @property
    def warmup(self) -> int:
        return int(self.warmup_days * self.steps_per_day)

    @property
    def span(self) -> int:
        """Steps of history that determine every feature of the last two days exactly, those of bursts apart."""
        return (max(self.scales) // DAY + max(self.profile_days) + 5) * self.steps_per_day

    @property
    def lookback(self) -> int:
        """The same with bursts."""
        return max(self.span, (self.burst_days + 5) * self.steps_per_day)

    @property
    def num_context(self) -> int:
        """Columns of ``FeatureTable.context``."""
        spans = 3 * len(self.scales) + len(self.range_scales) + len(self.return_scales)
        return spans + 2 + len(KNOWN_NAMES)

    @property
    def future_names(self) -> tuple[str, ...]:
        """Columns of ``FeatureTable.future``: clock and activity, slots in absolute logs, log multipliers."""
        slots = [f"slot_{days}d" for days in self.profile_days]
        slots += ["slot_weekday"] if max(self.profile_days) >= 2 * _WEEK else []
        return (*KNOWN_NAMES, *slots, *self.effect_names)

    @property
    def effect_names(self) -> tuple[str, ...]:
        """The last of ``future_names``: log multipliers of what is expected of the minutes of a step."""
        told = {"bursts": self.burst_days > 0, "calendar": self.calendar, "inputs": self.inputs}
        return tuple(name for name, is_told in told.items() if is_told)


@dataclass(frozen=True, eq=False)
class FeatureTable:
    """Features of one asset on the regular grid ``time`` (n,), with ``horizon`` more rows of ``future``.

    ``returns`` (n,) log returns, NaN at gaps; ``price`` (n,) closes, NaN at gaps; ``anchor`` (n,) causal volatility per
    step, NaN until there is enough; ``sequence`` (n, 3) per-step inputs (return, range volatility, log
    slot profile), NaN at gaps; ``context`` (n, c) summary inputs, finite; ``future`` (n + horizon, f): known
    columns, log slot volatilities in absolute units (subtract ``log(anchor[i])`` for a window starting at ``i``), and
    the log multipliers that bursts and calendar bring to a step. ``foretold``: that of inputs, which hangs on the start
    of a window, too; where the spec has inputs, windows start where it has a row.
    """

    time: Times
    price: Floats
    returns: Floats
    anchor: Array32
    sequence: Array32
    context: Array32
    future: Array32
    foretold: Foretold | None = None

    def __len__(self) -> int:
        return len(self.time)

    @classmethod
    def build(
        cls,
        bars: Bars,
        spec: WindowSpec,
        *,
        until: int | None = None,
        rows: int | None = None,
        shift: int = 0,
        expected: Effect | None = None,
    ) -> FeatureTable:
        """Compute the features of ``bars`` up to the grid time at or before ``until`` (default: the last bar's).

        ``rows`` keeps only the last so many rows, which is much cheaper and gives the same numbers. ``shift``: seconds
        by which the steps that are scored lie later than those of the grid, see ``forecast.forecaster.Shifted``.
        ``expected``: what a calendar knows of each minute a horizon before it (``Foresight.ahead``); without one
        nothing is expected.

        Raises:
            DataError: no bars, or bars of another resolution than ``spec.increment``.
        """
        if bars.resolution != spec.increment:
            raise DataError(f"features need {spec.increment}-second bars, got {bars.resolution}-second bars")
        if not len(bars):
            raise DataError("features need at least one bar, got none")
        recent = bars if rows is None else bars.slice(max(0, len(bars) - spec.span), len(bars))
        time, price, spread = _regular(recent, until)
        if not spec.range_scales:
            spread = np.full_like(spread, np.nan)
        returns = np.diff(np.log(price), prepend=np.nan)
        n = len(time)
        keep = slice(n - min(rows or n, n), n)
        ahead = slice(keep.start, n + spec.horizon)
        slots, profile = _slot_profiles(np.abs(returns), spec)
        grid = time[0] + spec.increment * np.arange(ahead.start, ahead.stop)
        activity = activity_features(
            recent.observed[traded(recent)], grid, spec.increment, spec.horizon * spec.increment
        )
        known = np.concatenate([calendar_features(grid), activity], axis=1)
        future = [known, slots[ahead].astype(np.float32)]
        if spec.burst_days:
            future.append(_burst_feature(bars, grid + shift, spec))
        if spec.calendar:
            effects = () if expected is None else (expected,)
            future.append(np.log(over_steps(grid + shift, spec.increment, *effects))[:, None].astype(np.float32))
        anchor, summary = _summary(returns, spread, profile[:n], spec, keep)
        return cls(
            time=time[keep],
            price=price[keep],
            returns=returns[keep],
            anchor=anchor.astype(np.float32),
            sequence=np.stack([returns[keep], spread[keep] * _PARKINSON, profile[keep]], axis=1).astype(np.float32),
            context=np.concatenate([summary.astype(np.float32), known[: n - keep.start]], axis=1),
            future=np.concatenate(future, axis=1),
        )


def _burst_feature(bars: Bars, ends: Times, spec: WindowSpec) -> Array32:
    """Log multiplier (n, 1) that bursts bring to the steps that end at ``ends`` (n,), known a horizon before them."""
    horizon = spec.horizon * spec.increment
    bursts = past_bursts(bars, int(ends[0]) - spec.increment, int(ends[-1]), days=spec.burst_days, ahead=horizon)
    return np.log(over_steps(ends, spec.increment, bursts))[:, None].astype(np.float32)


def _summary(returns: Floats, spread: Floats, profile: Floats, spec: WindowSpec, keep: slice) -> tuple[Floats, Floats]:
    """Anchor (rows,) and volatilities and returns at many scales relative to it (rows, features)."""
    roll = _Roller(returns, spec.increment, keep)
    seasonless = _Roller(returns / np.exp(profile), spec.increment, keep)
    ranges = _Roller(spread * _PARKINSON, spec.increment, keep)
    largest = _trailing_max(np.abs(returns), spec.steps_per_day)[keep]
    anchor = roll.rms(spec.anchor_seconds)
    scales = spec.scales
    volatilities = [
        *(roll.rms(s) for s in scales),
        *(roll.mean_abs(s) for s in scales),
        *(seasonless.rms(s) for s in scales),
        *(ranges.rms(s) for s in spec.range_scales),
        largest / np.exp(_LARGEST_SHIFT),
    ]
    moves = [roll.sum(s) / (anchor * np.sqrt(s / spec.increment)) for s in spec.return_scales]
    summary = np.stack([*(np.log(v / anchor) for v in volatilities), *moves, profile[keep]], axis=1)
    return anchor, np.clip(np.nan_to_num(summary, nan=0.0, posinf=_BOUND, neginf=-_BOUND), -_BOUND, _BOUND)


def _regular(bars: Bars, until: int | None) -> tuple[Times, Floats, Floats]:
    """Place bars on the regular grid of observation times: (time, close, log(high / low)), NaN at gaps."""
    observed = bars.observed
    index = (observed - observed[0]) // bars.resolution
    last = int(observed[-1]) if until is None else max(until, int(observed[-1]))
    n = (last - int(observed[0])) // bars.resolution + 1
    price, spread = np.full(n, np.nan), np.full(n, np.nan)
    price[index] = bars.close
    spread[index] = np.log(bars.high / bars.low)
    return observed[0] + bars.resolution * np.arange(n, dtype=np.int64), price, spread


class _Roller:
    """Trailing means over the observed values of a series with gaps."""

    def __init__(self, values: Floats, increment: int, keep: slice) -> None:
        seen = np.isfinite(values)
        filled = np.where(seen, values, 0.0)
        self._increment = increment
        self._row = np.arange(keep.start, keep.stop)
        self._count = _cumulate(seen.astype(np.float64))
        self._sum = _cumulate(filled)
        self._abs = _cumulate(np.abs(filled))
        self._square = _cumulate(filled * filled)

    def _window(self, cumulative: Floats, seconds: int) -> Floats:
        steps = max(1, seconds // self._increment)
        start = np.maximum(self._row + 1 - steps, 0)
        return np.asarray(cumulative[self._row + 1] - cumulative[start])

    def _mean(self, cumulative: Floats, seconds: int) -> Floats:
        count = self._window(self._count, seconds)
        total = np.maximum(self._window(cumulative, seconds), 0.0)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(count >= _MIN_COUNT, total / count, np.nan)

    def rms(self, seconds: int) -> Floats:
        return np.sqrt(np.maximum(self._mean(self._square, seconds), 1e-14))

    def mean_abs(self, seconds: int) -> Floats:
        """Mean absolute value, scaled to the standard deviation of a normal law."""
        return np.asarray(np.maximum(self._mean(self._abs, seconds) * np.sqrt(np.pi / 2), 1e-7))

    def sum(self, seconds: int) -> Floats:
        return self._window(self._sum, seconds)


def _cumulate(values: Floats) -> Floats:
    return np.concatenate([[0.0], np.cumsum(values)])


def _trailing_max(values: Floats, window: int) -> Floats:
    """Largest value of the last ``window`` steps, in blocks (van Herk): O(n)."""
    n = len(values)
    blocks = -(-(n + window) // window)
    padded = np.full(blocks * window, -np.inf)
    padded[window : window + n] = np.nan_to_num(values, nan=0.0)
    grid = padded.reshape(blocks, window)
    prefix = np.maximum.accumulate(grid, axis=1).ravel()
    suffix = np.maximum.accumulate(grid[:, ::-1], axis=1)[:, ::-1].ravel()
    index = np.arange(window, window + n)
    return np.maximum(np.maximum(prefix[index], suffix[index - window + 1]), 1e-7)


def _slot_profiles(absolute: Floats, spec: WindowSpec) -> tuple[Floats, Floats]:
    """Mean absolute return of each slot of the day over past days: (log slots (n + h, k), log relative (n + h,)).

    A row uses returns at least one day (or the horizon, if that is longer) before it, so every step of a window's
    future is known at the window's start. The relative profile divides the 28-day slot mean by the day's mean.
    """
    n, day, horizon = len(absolute), spec.steps_per_day, spec.horizon
    half = _SMOOTH_SECONDS // spec.increment
    smooth = _centred_mean(absolute, half)
    seen = np.isfinite(smooth)
    filled = np.where(seen, smooth, 0.0)
    # a centred mean at lag one day would look past t0 near the end of a day-long horizon: shift it back
    shift = max(0, half - max(0, day - horizon))
    total, count = np.zeros(n + horizon), np.zeros(n + horizon)
    slots = {}
    weekday_total, weekday_count = np.zeros(n + horizon), np.zeros(n + horizon)
    for lag in range(1, max(spec.profile_days) + 1):
        back = lag * day + (shift if lag == 1 else 0)
        known = max(0, min(n, n + horizon - back))
        later = slice(back, back + known)
        total[later] += filled[:known]
        count[later] += seen[:known]
        if lag % _WEEK == 0 and lag <= 2 * _WEEK:
            weekday_total[later] += filled[:known]
            weekday_count[later] += seen[:known]
        if lag in spec.profile_days:
            slots[lag] = (total.copy(), count.copy())
    with np.errstate(invalid="ignore", divide="ignore"):
        columns = [t / c for t, c in slots.values()]
        if max(spec.profile_days) >= 2 * _WEEK:
            columns.append(weekday_total / weekday_count)
    log_slots = np.log(np.maximum(np.stack(columns, axis=1), 1e-7) * np.sqrt(np.pi / 2))
    longest = log_slots[:, len(spec.profile_days) - 1]
    level = np.log(np.maximum(_trailing_mean(np.exp(longest), day), 1e-7))
    return log_slots, np.clip(np.nan_to_num(longest - level, nan=0.0), -2.5, 2.5)


def _centred_mean(values: Floats, half: int) -> Floats:
    if half == 0:
        return values
    seen = np.isfinite(values)
    total, count = _cumulate(np.where(seen, values, 0.0)), _cumulate(seen.astype(np.float64))
    index = np.arange(len(values))
    first, last = np.maximum(index - half, 0), np.minimum(index + half + 1, len(values))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((total[last] - total[first]) / (count[last] - count[first]))


def _trailing_mean(values: Floats, window: int) -> Floats:
    seen = np.isfinite(values)
    total, count = _cumulate(np.where(seen, values, 0.0)), _cumulate(seen.astype(np.float64))
    start = np.maximum(np.arange(1, len(values) + 1) - window, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((total[1:] - total[start]) / (count[1:] - count[start]))
