"""Plots of leads with their intervals: over each baseline by asset, and by what an answer is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator

from synthcity.forecast.evaluation.regimes import GroupRow
from synthcity.search.finals.verdict import LeadInterval, LeadTable
from synthcity.search.report.figures.scales import lead_limits, lead_tip, short, signed, verdict_colour, zero_line
from synthcity.search.report.figures.style import INK, NARROW, new_figure, tip

_CROWDED = 8  # groups; the names of more are turned


def lead_figure(
    lead: LeadTable, assets: Sequence[str], limits: tuple[float, float], prompts: Mapping[str, int]
) -> Figure:
    """Lead over one baseline by asset and in the mean, with 95 % intervals.

    Args:
        lead: of the challenger.
        assets: in the order of the rows.
        limits: of the common scale, beyond which a lead may lie.
        prompts: how many there are of an asset, where that is known.
    """
    rows = [("all assets", lead, sum(prompts.values())), *((a, lead["by_asset"][a], prompts.get(a)) for a in assets)]
    figure, axes = new_figure(0.62 + 0.27 * len(rows), width=NARROW)
    for at, (name, row, count) in enumerate(rows):
        colour = verdict_colour(row["low"], row["high"])
        is_seen = limits[0] <= row["mean"] <= limits[1]
        if is_seen and row["low"] is not None and row["high"] is not None:
            _interval(axes, row["low"], row["high"], at, limits, colour)
        mark = _mark(axes, row["mean"], at, limits, colour)
        tip(mark, lead_tip(name, row["mean"], row, count or None))
    axes.set_yticks(range(len(rows)), [f"{short(name)} {count:,}" if count else short(name) for name, _, count in rows])
    axes.get_yticklabels()[0].set(color=INK, fontweight="bold")
    axes.set_ylim(len(rows) - 0.5, -0.6)
    axes.grid(axis="y", visible=False)
    zero_line(axes, vertical=True)
    axes.set_xlabel("lead, % (minus is better)")
    axes.set_xlim(*limits)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.xaxis.set_major_formatter(FuncFormatter(signed))
    return figure


def _interval(axes: Axes, low: float, high: float, at: int, limits: tuple[float, float], colour: str) -> None:
    """Draw as much of the interval as the scale has, with an arrow where it goes on."""
    axes.plot([max(low, limits[0]), min(high, limits[1])], [at, at], color=colour, lw=2.2, solid_capstyle="round")
    for edge, arrow, goes_on in ((limits[0], "<", low < limits[0]), (limits[1], ">", high > limits[1])):
        if goes_on:
            axes.plot(edge, at, arrow, color=colour, ms=4.5, clip_on=False)


def _mark(axes: Axes, mean: float, at: int, limits: tuple[float, float], colour: str) -> Line2D:
    """Draw where the lead is; beyond the scale an arrow at its edge, with the figure."""
    low, high = limits
    if low <= mean <= high:
        (mark,) = axes.plot(mean, at, "D" if at == 0 else "o", color=colour, ms=7 if at == 0 else 5.5)
        return mark
    inside = 0.025 * (high - low)  # off the names of the rows
    edge, arrow, side, room = (low + inside, "<", "left", 10) if mean < low else (high - inside, ">", "right", -10)
    (mark,) = axes.plot(edge, at, arrow, color=colour, ms=8)
    text = axes.annotate(f"{signed(mean)} %", (edge, at), (room, 0), textcoords="offset points")
    text.set(ha=side, va="center", fontsize=9.5, color=colour)
    return mark


def group_limits(rows: Sequence[GroupRow]) -> tuple[float, float]:
    """Return one scale for all ``rows``, zero included."""
    return lead_limits([LeadInterval(mean=row["lead"], low=row["low"], high=row["high"]) for row in rows])


def group_figure(rows: Sequence[GroupRow], label: str, limits: tuple[float, float]) -> Figure:
    """Lead by group (hours, volatility, horizons) with 95 % intervals and the number of prompts behind each."""
    figure, axes = new_figure(2.6)
    for at, row in enumerate(rows):
        colour = verdict_colour(row["low"], row["high"])
        if row["low"] is not None:
            axes.plot([at, at], [row["low"], row["high"]], color=colour, lw=2.0, solid_capstyle="round")
        (point,) = axes.plot(at, row["lead"], "o", color=colour, ms=5)
        tip(point, lead_tip(row["group"], row["lead"], row, row["count"]))
    crowded = len(rows) > _CROWDED
    mark = ": " if crowded else "\n"
    titles = [f"{row['group']}{mark}{row['count']:,}" for row in rows]
    axes.set_xticks(range(len(rows)), titles, fontsize=8 if crowded else 9, rotation=90 if crowded else 0)
    axes.set_xlim(-0.7, len(rows) - 0.3)
    axes.grid(axis="x", visible=False)
    zero_line(axes, vertical=False)
    axes.set_xlabel(f"{label}; {'behind it' if crowded else 'below'}: prompts")
    axes.set_ylabel("lead, %")
    axes.set_ylim(*limits)
    axes.yaxis.set_major_formatter(FuncFormatter(signed))
    return figure
