"""Scales, signs and words that several of the report's plots share."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from synthcity.forecast.evaluation.regimes import GroupRow
from synthcity.search.arms import RERUN
from synthcity.search.finals.verdict import LeadInterval, LeadTable
from synthcity.search.report.figures.style import BAD, GOOD, INK, MUTED, SERIES
from synthcity.wording import between, percent

Floats = NDArray[np.float64]
_FAR = 4.0  # times what the nearest panel reaches


def lead_limits(leads: Sequence[LeadInterval]) -> tuple[float, float]:
    """Return one scale for all ``leads``, zero included, so that panels can be compared by eye."""
    ends = [0.0, *(value for row in leads for value in (row["mean"], row["low"], row["high"]) if value is not None)]
    room = 0.06 * (max(ends) - min(ends)) or 0.1
    return min(ends) - room, max(ends) + room


def panel_limits(panels: Sequence[LeadTable]) -> tuple[float, float]:
    """Return one scale for all ``panels`` on which the nearest can be read.

    A baseline that is far worse than all others would press the panels that matter to a line. What lies beyond the
    scale is drawn at its edge, with its figure.
    """
    rows = [[panel, *panel["by_asset"].values()] for panel in panels]
    low, high = lead_limits([row for panel in rows for row in panel])
    most = _FAR * min((max(map(abs, lead_limits(panel))) for panel in rows), default=high)
    return max(low, -most), min(high, most)


def robust_range(values: Floats) -> tuple[float, float]:
    """Axis limits that show the good trials well: what lies far above the median is cut off."""
    if not len(values):
        return -0.1, 0.3
    low = min(0.0, float(values.min()))
    high = max(0.0, min(float(values.max()), float(np.median(values)) + 2.5 * (float(np.median(values)) - low)))
    room = 0.08 * (high - low) or 0.1
    return low - room, high + 3 * room


def verdict_colour(low: float | None, high: float | None) -> str:
    """Only an interval that is clear of zero is better or worse."""
    if low is None or high is None or low <= 0 <= high:
        return MUTED
    return GOOD if high < 0 else BAD


def lead_tip(name: str, mean: float, row: LeadInterval | GroupRow, count: int | None = None) -> str:
    """Say a lead, as in "BTC: −0.60 %, 95 % interval −0.80 to −0.40 %, 56 prompts"."""
    told = f"{name}: {percent(mean)}, {between(row['low'], row['high'])}"
    return told if count is None else f"{told}, {count:,} prompts"


def source_colour(source: str, sources: Sequence[str]) -> str:
    """The colour of whoever proposed a trial, the same in every plot of a page."""
    return SERIES[sources.index(source) % len(SERIES)]


def proposer(source: str) -> str:
    """Who proposed a trial, as the tables call it too: a known network's next seed is nobody's proposal."""
    return "again" if source == RERUN else source


def zero_line(axes: Axes, *, vertical: bool) -> None:
    """Mark where nothing is gained."""
    (axes.axvline if vertical else axes.axhline)(0.0, color=INK, lw=1.0, ls=(0, (4, 3)), zorder=1)


def short(text: str, length: int = 22) -> str:
    """Cut a name that would push the plot aside."""
    return text if len(text) <= length else text[: length - 1] + "\N{HORIZONTAL ELLIPSIS}"


def signed(value: float, _: object = None) -> str:
    """A difference with its sign, for an axis."""
    return "0" if abs(value) < 1e-9 else f"{value:+.3g}".replace("-", "\N{MINUS SIGN}")


def price(value: float, _: object = None) -> str:
    """A price with as many digits as an axis has room for."""
    return f"{value:,.0f}" if abs(value) >= 10000 else f"{value:.6g}"


def clock(seconds: float) -> str:
    """The time of day, UTC."""
    return datetime.fromtimestamp(round(seconds), UTC).strftime("%H:%M")


def span(seconds: int) -> str:
    """Seconds as "5 min" or "3 h"."""
    return f"{seconds // 3600} h" if seconds % 3600 == 0 else f"{seconds // 60} min"
