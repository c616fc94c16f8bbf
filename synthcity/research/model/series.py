"""Looks at an extra series: which of its lags and levels go with residuals, or what follows what it announces."""

from __future__ import annotations

import numpy as np

from synthcity.durations import DAY, HOUR
from synthcity.market.bars import Floats
from synthcity.market.times import format_time
from synthcity.research.measuring import chance
from synthcity.research.model.desk import Desk
from synthcity.research.model.tables import bounded

SCANNED = 49  # lags of a look
_TENTHS = 10
_SHOWN = 3  # lags in full
_SINCE = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 48.0)  # hours


def look_at_values(context: Desk, name: str, lags: range) -> str:
    """Return a table of lags, whole hours, and the surest of them by tenths.

    Raises:
        ValueError: fewer hours were seen than the longest lag has.
    """
    published, values = context.known.series[name]
    residuals = context.residuals
    times, sizes = residuals.hourly()
    if lags[-1] >= len(times):
        raise ValueError(f"only {len(times)} hours were seen, and to_hours is {lags[-1]}")
    at = np.searchsorted(published, times - HOUR, side="right") - 1
    now = np.where(at >= 0, values[np.maximum(at, 0)], np.nan)
    edges = np.unique(np.quantile(values, np.arange(1, _TENTHS) / _TENTHS))
    tenth = np.where(np.isnan(now), -1, np.searchsorted(edges, now, side="right"))
    z, level = residuals.binned(tenth, len(edges) + 1, lags, chance.PER_DAY)
    correlation, usual = residuals.correlated(now, lags)
    surest = sorted(range(len(lags)), key=lambda n: -max(abs(correlation[n]) / usual, np.abs(z[n]).max() / level))
    every = np.median(np.diff(published)) / HOUR if len(published) > 1 else 0.0
    head = (
        f"{name}: {len(values)} values, published every {every:.1f} hours (median); tenths end at "
        f"{edges.round(4).tolist()}\nhours before\tcorrelation ({chance.told(usual, 3)})\t"
        f"largest z of a tenth ({chance.told(level, 1)})"
    )
    rows = [(f"{lag}", f"{correlation[n]:+.3f}\t{_largest(z[n]):+.1f}") for n, lag in enumerate(lags)]
    lines = [bounded(head, rows, SCANNED), "the surest in full: mean residual (z) by tenth, lowest first"]
    together = sizes.mean(axis=1)
    for n in surest[:_SHOWN]:
        before = np.roll(tenth, lags[n])
        own = [together[before == part] for part in range(len(edges) + 1)]
        told = "; ".join(f"{part.mean():.2f} ({one:+.1f})" for part, one in zip(own, z[n], strict=True) if len(part))
        lines.append(f"{lags[n]} hours before: {told}")
    return "\n".join(lines)


def look_at_schedule(context: Desk, name: str) -> str:
    """Return a table by hours since the last due."""
    published, values = context.known.series[name]
    residuals = context.residuals
    due = np.sort(values)
    begins = residuals.times - residuals.step
    at = np.searchsorted(due, begins, side="right") - 1
    since = np.where(at >= 0, begins - due[np.maximum(at, 0)], np.inf) / HOUR
    bins = np.searchsorted(_SINCE, since, side="right") - 1
    num = len(_SINCE) - 1
    z, level = residuals.binned(np.where(bins < num, bins, -1), num, [0], DAY // residuals.step)
    size = residuals.together()
    rows = []
    for n in range(num):
        own = size[(bins == n) & np.isfinite(size)]
        if len(own):
            rows.append((f"{_SINCE[n]:g} to {_SINCE[n + 1]:g}", f"{own.mean():.3f}\t{z[0, n]:+.1f}\t{len(own)}"))
    every = np.median(np.diff(due)) / HOUR if len(due) > 1 else 0.0
    first = ", ".join(format_time(int(time)) for time in due[:6])
    head = (
        f"{name}: {len(values)} values, due every {every:.1f} hours (median), published "
        f"{np.median(values - published) / HOUR:.0f} hours ahead (first: {first})"
    )
    return bounded(f"{head}\nhours since\tmean\tz ({chance.told(level, 1)})\tcount", rows)


def _largest(values: Floats) -> float:
    return float(values[np.abs(values).argmax()])
