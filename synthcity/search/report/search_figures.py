"""Plots of how a search went: who trained what and when, and which choices moved the score."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.patches import Patch

from synthcity.search.report.figures import INK, SERIES, new_figure
from synthcity.search.report.findings.importance import ImportanceRow
from synthcity.search.report.findings.lanes import LaneRow

_NAMED = 0.11  # of the whole time: a shorter bar has no room for its id


def lanes_figure(rows: Sequence[LaneRow], sources: Sequence[str]) -> Figure:
    """A bar for every trial on the lane of a worker, coloured by who proposed it; failed ones are hatched."""
    lanes = 1 + max(row["lane"] for row in rows)
    figure, axes = new_figure(min(0.9 + 0.28 * lanes, 6.0))
    whole = max(row["end"] for row in rows) or 1.0
    for row in rows:
        colour = SERIES[sources.index(row["source"]) % len(SERIES)]
        length = (row["end"] - row["begin"]) / 60
        failed = row["state"] == "failed"
        axes.barh(row["lane"], length, 0.7, row["begin"] / 60, color=colour, alpha=0.55, hatch="////" if failed else "")
        if row["end"] - row["begin"] > _NAMED * whole and lanes <= 12:
            axes.text(row["begin"] / 60, row["lane"], f" {row['id']}", va="center", fontsize=8, color=INK, clip_on=True)
    axes.set_yticks(range(lanes), [f"worker {lane + 1}" for lane in range(lanes)] if lanes <= 12 else [""] * lanes)
    axes.set_ylim(lanes - 0.4, -0.6)
    axes.grid(axis="y", visible=False)
    axes.set_xlabel("minutes since the first trial began")
    present = [name for name in sources if any(row["source"] == name for row in rows)]
    handles = [Patch(color=SERIES[sources.index(name) % len(SERIES)], alpha=0.55, label=name) for name in present]
    figure.legend(handles=handles, loc="outside upper left", ncols=4, handlelength=1.0, columnspacing=1.0)
    return figure


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
