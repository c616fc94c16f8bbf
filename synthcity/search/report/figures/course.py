"""Plots of how a search went: who trained what and when, how well, and what each proposer earned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from synthcity.search.arms import RERUN
from synthcity.search.journal.record import STOPPED
from synthcity.search.proposers.arm_table import ArmRow
from synthcity.search.report.figures.scales import (
    Floats,
    proposer,
    robust_range,
    short,
    signed,
    source_colour,
    zero_line,
)
from synthcity.search.report.figures.style import INK, new_figure, tip
from synthcity.search.report.findings.lanes import LaneRow
from synthcity.search.report.model import TrialRow
from synthcity.wording import duration, percent

_NAMED = 0.11  # of the whole time: a shorter bar has no room for its id
Points = Sequence[tuple[int, float]]


def trial_tip(trial: TrialRow) -> str:
    """Say which trial it is, as in "c0003 by tpe, lstm>gbm d16 h48: lead −0.21 %, stopped after rung 1 of 3"."""
    stopped = f", stopped after rung {trial['rung']} of {trial['num_rungs']}" if trial["state"] == STOPPED else ""
    named = f"{trial['id']} by {proposer(trial['source'])}, {trial['architecture']}"
    return f"{named}: lead {percent(trial['relative'])}{stopped}"


def search_figure(trials: Sequence[TrialRow], *, over_time: bool, sources: Sequence[str]) -> Figure:
    """Best score so far and every trial's own, against the best baseline; colours tell the sources apart."""
    figure, axes = new_figure(2.7)
    done = sorted((t for t in trials if t["relative"] is not None and t["elapsed"] is not None), key=_elapsed)
    order = np.array([_elapsed(trial) / 60 if over_time else at + 1 for at, trial in enumerate(done)])
    relative = np.array([trial["relative"] for trial in done])
    named = set[str]()
    for at, trial in enumerate(done):
        source = trial["source"]
        (mark,) = axes.plot(order[at], relative[at], "o", color=source_colour(source, sources), ms=5, alpha=0.8, lw=0)
        if source not in named:
            mark.set_label(short(proposer(source)))
            named.add(source)
        tip(mark, trial_tip(trial), trial["id"])
    if len(done):
        # a fresh seed moves all networks alike: the best so far is that of first trainings
        first = np.where([trial["source"] == RERUN for trial in done], np.inf, relative)
        axes.step(order, np.minimum.accumulate(first), where="post", color=INK, lw=1.6, label="best so far")
    axes.set_ylim(*robust_range(relative))
    zero_line(axes, vertical=False)
    axes.set_xlabel("minutes of searching" if over_time else "trials finished")
    axes.set_ylabel("lead, %")
    axes.yaxis.set_major_formatter(FuncFormatter(signed))
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    if len(done) and not over_time:
        figure.legend(loc="outside upper left", ncols=4, handletextpad=0.3, columnspacing=1.0)
    return figure


def curves_figure(trials: Sequence[TrialRow], baseline: float, sources: Sequence[str], *, best: str | None) -> Figure:
    """Validation score of every trial over its training steps, the best one drawn strong."""
    figure, axes = new_figure(2.7)
    leads = {t["id"]: [(steps, 100 * (score - baseline) / baseline) for steps, score in t["curve"]] for t in trials}
    axes.set_ylim(*robust_range(_curves(axes, trials, leads, sources, best)))
    zero_line(axes, vertical=False)
    axes.set_ylabel("lead, %")
    axes.yaxis.set_major_formatter(FuncFormatter(signed))
    return figure


def losses_figure(
    trials: Sequence[TrialRow], losses: Mapping[str, Points], sources: Sequence[str], *, best: str | None
) -> Figure:
    """Training loss of the same trials, the mean over the steps of each rung."""
    figure, axes = new_figure(2.7)
    values = _curves(axes, trials, losses, sources, best)
    if len(values):
        low, middle = float(values.min()), float(np.median(values))
        high = min(float(values.max()), 3 * middle - 2 * low)  # a training that was lost does not flatten the others
        room = 0.08 * (high - low) or 0.1
        axes.set_ylim(low - room, high + room)
    axes.set_ylabel("training loss")
    return figure


def _curves(
    axes: Axes, trials: Sequence[TrialRow], points: Mapping[str, Points], sources: Sequence[str], best: str | None
) -> Floats:
    """Draw a line a trial and return all values."""
    everything = list[float]()
    for trial in sorted(trials, key=lambda trial: trial["id"] == best):
        if not points.get(trial["id"]):
            continue
        steps, values = np.array(points[trial["id"]], dtype=float).T
        everything += list(values)
        chosen = trial["id"] == best
        (line,) = axes.plot(
            steps,
            values,
            "o-",
            color=INK if chosen else source_colour(trial["source"], sources),
            alpha=1.0 if chosen else 0.5,
            lw=2.2 if chosen else 1.1,
            ms=4 if chosen else 2.5,
        )
        tip(line, trial_tip(trial), trial["id"])
    axes.set_xlabel("training steps")
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    return np.array(everything)


def lanes_figure(rows: Sequence[LaneRow], sources: Sequence[str]) -> Figure:
    """A bar for every trial on the lane of a worker, coloured by who proposed it; failed ones are hatched."""
    lanes = 1 + max(row["lane"] for row in rows)
    figure, axes = new_figure(min(0.9 + 0.28 * lanes, 6.0))
    whole = max(row["end"] for row in rows) or 1.0
    for row in rows:
        colour = source_colour(row["source"], sources)
        seconds = row["end"] - row["begin"]
        hatch = "////" if row["state"] == "failed" else ""
        bars = axes.barh(row["lane"], seconds / 60, 0.7, row["begin"] / 60, color=colour, alpha=0.55, hatch=hatch)
        tip(bars[0], f"{row['id']} by {proposer(row['source'])}: {row['state']} after {duration(seconds)}", row["id"])
        if seconds > _NAMED * whole and lanes <= 12:
            axes.text(row["begin"] / 60, row["lane"], f" {row['id']}", va="center", fontsize=8, color=INK, clip_on=True)
    axes.set_yticks(range(lanes), [f"worker {lane + 1}" for lane in range(lanes)] if lanes <= 12 else [""] * lanes)
    axes.set_ylim(lanes - 0.4, -0.6)
    axes.grid(axis="y", visible=False)
    axes.set_xlabel("minutes since the first trial began")
    present = [name for name in sources if any(row["source"] == name for row in rows)]
    handles = [Patch(color=source_colour(name, sources), alpha=0.55, label=proposer(name)) for name in present]
    figure.legend(handles=handles, loc="outside upper left", ncols=4, handlelength=1.0, columnspacing=1.0)
    return figure


def arms_figure(
    arms: Sequence[ArmRow], what: Literal["share", "reward", "usd"], label: str, sources: Sequence[str]
) -> Figure:
    """Share, mean reward or cost of each arm over the proposals of all arms, in the colours that its trials have."""
    figure, axes = new_figure(2.7)
    for arm in arms:
        points = [(point["proposals"], point[what]) for point in arm["curve"] if point[what] is not None]
        if points:
            axes.plot(*zip(*points, strict=True), color=source_colour(arm["name"], sources), label=short(arm["name"]))
    axes.set_xlabel("proposals after the hand-written ones")
    axes.set_ylabel(label)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    if axes.lines:  # of a run that has just begun no proposal is rewarded yet
        figure.legend(loc="outside upper left", ncols=3, handlelength=1.2, columnspacing=1.0)
    return figure


def _elapsed(trial: TrialRow) -> float:
    assert trial["elapsed"] is not None
    return float(trial["elapsed"])
