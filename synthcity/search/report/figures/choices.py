"""Plots of which choices made a network good: importance, slices and parallel coordinates."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from synthcity.search.report.figures.course import trial_tip
from synthcity.search.report.figures.scales import robust_range, short, signed, source_colour, zero_line
from synthcity.search.report.figures.style import GOOD, GRID, INK, MUTED, NARROW, SERIES, new_figure, tip
from synthcity.search.report.findings.importance import ImportanceRow
from synthcity.search.report.findings.parameters import ParameterRow
from synthcity.search.report.model import TrialRow
from synthcity.wording import percent

_GOOD_PART = 4  # the best one in so many is drawn strong
_CROWDED = 5  # names side by side; more are turned


def importance_figure(rows: Sequence[ImportanceRow]) -> Figure:
    """A bar for each parameter with its part of what moved the score."""
    figure, axes = new_figure(0.7 + 0.27 * len(rows))
    for at, row in enumerate(rows):
        axes.barh(at, 100 * row["importance"], 0.65, color=SERIES[0], alpha=0.6)
        percent = 100 * row["importance"]
        said = f"{percent:.0f} %" if percent >= 1 else "<1 %"
        axes.text(percent, at, f" {said}", va="center", fontsize=9, color=INK)
    axes.set_yticks(range(len(rows)), [row["name"] for row in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.grid(axis="y", visible=False)
    axes.set_xlim(0, 115 * max(row["importance"] for row in rows))
    axes.set_xlabel("importance, %")  # short: a long name beside a bar leaves little room, and what is longer is cut
    return figure


def slice_figure(row: ParameterRow, trials: Sequence[TrialRow], sources: Sequence[str]) -> Figure:
    """The lead of every network over one parameter, as if all were trained to the end."""
    figure, axes = new_figure(2.2, width=NARROW)
    scored = [trial for trial in trials if trial["id"] in row["values"] and trial["relative"] is not None]
    names = row["choices"]
    for trial in scored:
        value = row["values"][trial["id"]]
        at = names.index(value) if isinstance(value, str) else value
        colour = source_colour(trial["source"], sources)
        (mark,) = axes.plot(at, _whole(trial), "o", color=colour, ms=5, alpha=0.8, lw=0)
        tip(mark, f"{row['name']} {value}; {_tip(trial)}", trial["id"])
    if names:
        counts, crowded = Counter(row["values"].values()), len(names) > _CROWDED
        gap = " " if crowded else "\n"
        titles = [f"{short(name, 12)}{gap}{counts[name]}" for name in names]
        axes.set_xticks(range(len(names)), titles, rotation=90 if crowded else 0, fontsize=9)
        axes.set_xlim(-0.6, len(names) - 0.4)
    elif row["scale"] == "log":
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(FuncFormatter(_plain))
        axes.xaxis.set_minor_formatter("")
    else:
        whole = all(float(value).is_integer() for value in row["values"].values())
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=whole))
    zero_line(axes, vertical=False)
    axes.set_ylabel("lead, %")
    axes.set_ylim(*robust_range(np.array([_whole(trial) for trial in scored])))
    axes.yaxis.set_major_formatter(FuncFormatter(signed))
    return figure


def parallel_figure(rows: Sequence[ParameterRow], trials: Sequence[TrialRow]) -> Figure:
    """Parallel coordinates from top to bottom, so that they fit a phone: a line a network, the best fourth strong."""
    figure, axes = new_figure(0.5 + 0.6 * (len(rows) + 1))
    ids = set.intersection(*(set(row["values"]) for row in rows))
    scored = [trial for trial in trials if trial["id"] in ids and trial["relative"] is not None]
    scored.sort(key=_whole, reverse=True)  # the best lie on top
    strong = {trial["id"] for trial in scored[-math.ceil(len(scored) / _GOOD_PART) :]}
    low, high = robust_range(np.array([_whole(trial) for trial in scored]))
    depth = range(len(rows) + 1)
    for at, row in enumerate(rows):
        _axis(axes, at, row["name"], [(_place(row, value), label) for value, label in _marks(row)])
    _axis(axes, len(rows), "lead, %", [(0.0, signed(low)), (1.0, signed(high))])
    for trial in scored:
        lead = min(1.0, (_whole(trial) - low) / (high - low))
        places = [*(_place(row, row["values"][trial["id"]]) for row in rows), lead]
        colour, alpha = (GOOD, 0.9) if trial["id"] in strong else (MUTED, 0.3)
        (line,) = axes.plot(places, depth, color=colour, alpha=alpha, lw=1.6 if trial["id"] in strong else 1.0)
        tip(line, _tip(trial), trial["id"])
    axes.set_axis_off()
    axes.set_xlim(-0.03, 1.03)
    axes.set_ylim(len(rows) + 0.45, -0.5)
    return figure


def _whole(trial: TrialRow) -> float:
    """Lead of a network as if all had been trained to the end; reports of earlier versions know the trial's own."""
    lead = trial.get("whole", trial["relative"])
    return 0.0 if lead is None else lead


def _tip(trial: TrialRow) -> str:
    lead = _whole(trial)
    return trial_tip(trial) + (f", drawn at {percent(lead)}" if lead != trial["relative"] else "")


def _axis(axes: Axes, at: int, name: str, marks: Sequence[tuple[float, str]]) -> None:
    axes.plot([0, 1], [at, at], color=GRID, lw=1.2, zorder=0)
    axes.text(0, at - 0.12, name, fontsize=9, color=INK, fontweight="bold", va="bottom")
    for place, label in marks:
        side = "left" if place < 0.02 else "right" if place > 0.98 else "center"
        axes.text(place, at + 0.1, label, fontsize=8, color=MUTED, va="top", ha=side)


def _marks(row: ParameterRow) -> list[tuple[float | str, str]]:
    """What stands along an axis: its ends, or its names where there is room for all of them."""
    if row["choices"]:
        shown = row["choices"] if len(row["choices"]) <= _CROWDED else (row["choices"][0], row["choices"][-1])
        return [(name, short(name, 12)) for name in shown]
    return [(row["low"], _plain(row["low"])), (row["high"], _plain(row["high"]))]


def _place(row: ParameterRow, value: float | str) -> float:
    """Where a value lies on its axis, from 0 to 1."""
    if isinstance(value, str):
        return row["choices"].index(value) / max(1, len(row["choices"]) - 1)
    low, high = row["low"], row["high"]
    if row["scale"] == "log":
        return math.log(value / low) / math.log(high / low)
    return (value - low) / (high - low)


def _plain(value: float, _: object = None) -> str:
    return f"{value:g}"
