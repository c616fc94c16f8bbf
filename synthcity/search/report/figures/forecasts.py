"""Plots of what was forecast: fans beside what happened, and calibration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from synthcity.forecast.evaluation.diagnostics import Fan, PitRow
from synthcity.search.report.figures.scales import clock, price, span
from synthcity.search.report.figures.style import INK, SERIES, new_figure, tip

_POINTS = 97  # more than a chart this wide can show
_BANDS = ((0.01, 0.99, 0.16), (0.05, 0.95, 0.24), (0.25, 0.75, 0.38))  # quantiles, opacity


def fan_figure(fan: Fan, names: Sequence[str] = ()) -> Figure:
    """Quantiles of the simulated paths and the realised price of one prompt, by the clock.

    Where a rival is told, its fan stands beside on the same scale, both under their ``names``.
    """
    told = [fan["quantiles"], *([fan["rival"]] if "rival" in fan else [])]
    figure, panels = new_figure(2.3, len(told))
    for at, (axes, quantiles) in enumerate(zip(np.atleast_1d(panels), told, strict=True)):
        _fan(axes, fan, quantiles, SERIES[at])
        if len(told) > 1:
            axes.set_title(names[at], fontsize=10.5, color=INK, loc="left")
            axes.xaxis.set_major_locator(MaxNLocator(3, steps=[1, 2, 3, 4, 6, 10]))
    return figure


def _fan(axes: Axes, fan: Fan, told: Mapping[str, Sequence[float | None]], colour: str) -> None:
    quantiles = {float(q): np.array(row, dtype=float) for q, row in told.items()}
    at = np.arange(0, len(fan["realised"]), max(1, len(fan["realised"]) // _POINTS))
    hours = at * fan["time_increment"] / 3600
    for low, high, alpha in _BANDS:
        axes.fill_between(hours, quantiles[low][at], quantiles[high][at], color=colour, alpha=alpha, lw=0)
    axes.plot(hours, quantiles[0.5][at], color=colour, lw=1.1)
    realised = np.array([np.nan if seen is None else seen for seen in fan["realised"]], dtype=float)
    axes.plot(hours, realised[at], color=INK, lw=1.4)
    length = hours[-1]
    axes.set_xlim(0, length)
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 3, 4, 6, 10] if length > 2 else [1, 2, 2.5, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda hour, _: clock(fan["start_time"] + hour * 3600)))
    axes.yaxis.set_major_formatter(FuncFormatter(price))
    axes.yaxis.set_major_locator(MaxNLocator(5))


def pit_figure(rows: Sequence[PitRow], large: bool = False) -> Figure:
    """PIT histograms of one asset, one panel a horizon, with 95 % intervals; a large one has no title."""
    figure, panels = new_figure(2.2 if large else 1.75, len(rows))
    for axes, row in zip(np.atleast_1d(panels), rows, strict=True):
        bins = len(row["density"])
        left = np.arange(bins) / max(bins, 1)
        width = 1 / max(bins, 1)
        bars = axes.bar(left, row["density"], width * 0.86, align="edge", color=SERIES[0], alpha=0.45, lw=0)
        for bar, begin, density in zip(bars, left, row["density"], strict=True):
            count = row["count"] * density / bins
            tip(bar, f"{begin:.2f} to {begin + width:.2f}: {density:.2f}, {count:,.0f} of {row['count']:,}")
        if row["low"]:
            axes.vlines(left + width * 0.43, row["low"], row["high"], color=SERIES[0], lw=1.5)
        axes.axhline(1.0, color=INK, lw=1.0, ls=(0, (4, 3)))
        if not large:
            axes.set_title(f"{span(row['horizon'])}: {row['count']:,}", fontsize=10.5, color=INK, loc="left")
        axes.set_xticks([0, 0.5, 1], ["0", "½", "1"])
        axes.set_xlim(0, 1)
        axes.grid(axis="x", visible=False)
        axes.set_ylim(0, max(1.6, 1.05 * max([*row["density"], *row["high"]], default=1.0)))
        axes.yaxis.set_major_locator(MaxNLocator(3))
    return figure
