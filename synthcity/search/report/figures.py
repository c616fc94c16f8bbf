"""The report's plots: small inline SVGs that take their colours from the page, so they follow light and dark.

matplotlib draws with stand-in colours that the page's style sheet knows as variables. Each figure is about as
wide as a phone, and the page lays several side by side where there is room.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Literal, ParamSpec

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from synthcity.forecast.evaluation.diagnostics import Fan, PitRow
from synthcity.forecast.evaluation.regimes import GroupRow
from synthcity.search.arms import RERUN
from synthcity.search.finals.verdict import LeadInterval, LeadTable
from synthcity.search.proposers.arm_table import ArmRow
from synthcity.search.report.model import TrialRow

P = ParamSpec("P")
Floats = NDArray[np.float64]

# role -> stand-in colour; any rare colour does, as it is replaced by var(--role) in the finished SVG
_ROLES = ("ink", "muted", "grid", "c0", "c1", "c2", "c3", "c4", "c5", "good", "bad", "band")
_COLOURS = {role: f"#fe{at:02x}ef" for at, role in enumerate(_ROLES)}
INK, MUTED, GRID, GOOD, BAD, BAND = (_COLOURS[role] for role in ("ink", "muted", "grid", "good", "bad", "band"))
SERIES = tuple(_COLOURS[f"c{i}"] for i in range(6))

_STYLE: Any = {
    "svg.fonttype": "none",  # real text: small, searchable, in the page's font
    "svg.hashsalt": "synthcity",
    "text.parse_math": False,
    "text.color": INK,
    "font.size": 10.5,
    "axes.edgecolor": GRID,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.labelcolor": MUTED,
    "axes.labelsize": 10.5,
    "axes.linewidth": 1.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.unicode_minus": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": GRID,
    "ytick.color": GRID,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "ytick.major.size": 0,
    "legend.frameon": False,
    "legend.fontsize": 10.0,
    "figure.facecolor": "none",
    "lines.linewidth": 1.6,
    "path.simplify": True,
}
_WIDTH = 4.6  # inches at 100 px each
_PX = 100


def new_figure(height: float, columns: int = 1, *, width: float = _WIDTH) -> tuple[Figure, Any]:
    """Return a figure as wide as a phone and its axes, one or an array of ``columns``."""
    figure = Figure(figsize=(width, height), dpi=_PX, layout="constrained")
    FigureCanvasSVG(figure)
    return figure, figure.subplots(1, columns, sharey=columns > 1)


@contextmanager
def _house_style() -> Iterator[None]:
    with mpl.rc_context(_STYLE), warnings.catch_warnings():
        # a name in a script that matplotlib's font lacks is drawn by the browser's fonts
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from")
        yield


def draw(name: str, build: Callable[P, Figure], *data: P.args, **named: P.kwargs) -> str:
    """Return what ``build`` draws as an SVG element; ``name`` must be unique on the page (it prefixes all ids)."""
    with _house_style():
        figure = build(*data, **named)
        stream = io.StringIO()
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(stream, format="svg", metadata=nothing)
    return _page_svg(stream.getvalue(), name, figure)


def _page_svg(svg: str, name: str, figure: Figure) -> str:
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<svg [^>]*>", _opening(figure), svg, count=1)
    svg = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", svg)
    svg = svg.replace("xlink:href", "href")
    svg = re.sub(r"font: ([\d.]+px) [^;\"]*", r"font-size: \1", svg)
    for role, colour in _COLOURS.items():
        svg = svg.replace(colour, f"var(--{role})")
    return re.sub(r"\n\s*", "\n", svg)


def _opening(figure: Figure) -> str:
    points = figure.get_size_inches() * 72
    pixels = figure.get_size_inches() * _PX
    return (
        f'<svg viewBox="0 0 {points[0]:g} {points[1]:g}" style="max-width:{pixels[0]:g}px" role="img" '
        'xmlns="http://www.w3.org/2000/svg">'
    )


def lead_limits(leads: Sequence[LeadInterval]) -> tuple[float, float]:
    """Return one scale for all ``leads``, zero included, so that panels can be compared by eye."""
    ends = [0.0, *(value for row in leads for value in (row["mean"], row["low"], row["high"]) if value is not None)]
    room = 0.06 * (max(ends) - min(ends)) or 0.1
    return min(ends) - room, max(ends) + room


def lead_figure(lead: LeadTable, assets: Sequence[str], limits: tuple[float, float]) -> Figure:
    """Lead over one baseline by asset and in the mean, with 95 % intervals; ``limits``: of the common scale."""
    rows = [("all assets", lead), *((asset, lead["by_asset"][asset]) for asset in assets)]
    figure, axes = new_figure(0.62 + 0.27 * len(rows), width=3.6)
    for at, (_, row) in enumerate(rows):
        colour = _verdict_colour(row)
        if row["low"] is not None:
            axes.plot([row["low"], row["high"]], [at, at], color=colour, lw=2.2, solid_capstyle="round")
        axes.plot(row["mean"], at, "D" if at == 0 else "o", color=colour, ms=7 if at == 0 else 5.5)
    axes.set_yticks(range(len(rows)), [_short(name) for name, _ in rows])
    axes.get_yticklabels()[0].set(color=INK, fontweight="bold")
    axes.set_ylim(len(rows) - 0.5, -0.6)
    axes.grid(axis="y", visible=False)
    _zero_line(axes, vertical=True)
    axes.set_xlabel("lead, % (minus is better)")
    axes.set_xlim(*limits)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.xaxis.set_major_formatter(FuncFormatter(_signed))
    return figure


def _verdict_colour(row: LeadInterval | GroupRow) -> str:
    if row["low"] is None or row["high"] is None or row["low"] <= 0 <= row["high"]:
        return MUTED
    return GOOD if row["high"] < 0 else BAD


def fan_figure(fan: Fan) -> Figure:
    """Quantiles of the simulated paths and the realised price of one prompt, by the clock."""
    figure, axes = new_figure(2.3)
    quantiles = {float(q): np.array(row, dtype=float) for q, row in fan["quantiles"].items()}
    stride = max(1, len(fan["realised"]) // 97)  # more points than a chart this wide can show
    at = np.arange(0, len(fan["realised"]), stride)
    hours = at * fan["time_increment"] / 3600
    for (low, high), alpha in (((0.01, 0.99), 0.16), ((0.05, 0.95), 0.24), ((0.25, 0.75), 0.38)):
        axes.fill_between(hours, quantiles[low][at], quantiles[high][at], color=SERIES[0], alpha=alpha, lw=0)
    axes.plot(hours, quantiles[0.5][at], color=SERIES[0], lw=1.1)
    realised = np.array([np.nan if price is None else price for price in fan["realised"]], dtype=float)
    axes.plot(hours, realised[at], color=INK, lw=1.4)
    axes.set_xlim(0, hours[-1])
    length = hours[-1]
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 3, 4, 6, 10] if length > 2 else [1, 2, 2.5, 5, 10]))
    clock = FuncFormatter(lambda hour, _: _clock(fan["start_time"] + hour * 3600))
    axes.xaxis.set_major_formatter(clock)
    axes.yaxis.set_major_formatter(FuncFormatter(_price))
    axes.yaxis.set_major_locator(MaxNLocator(5))
    return figure


def pit_figure(rows: Sequence[PitRow], large: bool = False) -> Figure:
    """PIT histograms of one asset, one panel a horizon, with 95 % intervals; a large one has no title."""
    figure, panels = new_figure(2.2 if large else 1.75, len(rows))
    for axes, row in zip(np.atleast_1d(panels), rows, strict=True):
        bins = len(row["density"])
        left = np.arange(bins) / max(bins, 1)
        width = 1 / max(bins, 1)
        axes.bar(left, row["density"], width * 0.86, align="edge", color=SERIES[0], alpha=0.45, lw=0)
        if row["low"]:
            axes.vlines(left + width * 0.43, row["low"], row["high"], color=SERIES[0], lw=1.5)
        axes.axhline(1.0, color=INK, lw=1.0, ls=(0, (4, 3)))
        if not large:
            axes.set_title(f"{span(row['horizon'])} changes", fontsize=10.5, color=INK, loc="left")
        axes.set_xticks([0, 0.5, 1], ["0", "½", "1"])
        axes.set_xlim(0, 1)
        axes.grid(axis="x", visible=False)
        axes.set_ylim(0, max(1.6, 1.05 * max([*row["density"], *row["high"]], default=1.0)))
        axes.yaxis.set_major_locator(MaxNLocator(3))
    return figure


def group_limits(rows: Sequence[GroupRow]) -> tuple[float, float]:
    """Return one scale for all ``rows``, zero included."""
    return lead_limits([LeadInterval(mean=row["lead"], low=row["low"], high=row["high"]) for row in rows])


def group_figure(rows: Sequence[GroupRow], label: str, limits: tuple[float, float]) -> Figure:
    """Lead by group (hours, volatility, horizons) with 95 % intervals and the number of prompts behind each."""
    figure, axes = new_figure(2.6)
    for at, row in enumerate(rows):
        colour = _verdict_colour(row)
        if row["low"] is not None:
            axes.plot([at, at], [row["low"], row["high"]], color=colour, lw=2.0, solid_capstyle="round")
        axes.plot(at, row["lead"], "o", color=colour, ms=5)
    every = 3 if len(rows) > 12 else 1
    titles = [f"{row['group']}\n{row['count']:,}" for row in rows[::every]]
    axes.set_xticks(range(0, len(rows), every), titles, fontsize=9)
    axes.set_xlim(-0.7, len(rows) - 0.3)
    axes.grid(axis="x", visible=False)
    _zero_line(axes, vertical=False)
    axes.set_xlabel(f"{label}; below: prompts")
    axes.set_ylabel("lead, %")
    axes.set_ylim(*limits)
    axes.yaxis.set_major_formatter(FuncFormatter(_signed))
    return figure


def search_figure(trials: Sequence[TrialRow], *, over_time: bool, sources: Sequence[str]) -> Figure:
    """Best score so far and every trial's own, against the best baseline; colours tell the sources apart."""
    figure, axes = new_figure(2.7)
    done = sorted((t for t in trials if t["relative"] is not None and t["elapsed"] is not None), key=_elapsed)
    order = np.array([_elapsed(trial) / 60 if over_time else at + 1 for at, trial in enumerate(done)])
    relative = np.array([trial["relative"] for trial in done])
    for source in sources:
        mine = [at for at, trial in enumerate(done) if trial["source"] == source]
        colour = SERIES[sources.index(source) % len(SERIES)]
        axes.plot(order[mine], relative[mine], "o", color=colour, ms=5, alpha=0.8, lw=0, label=_short(source))
    if len(done):
        # a fresh seed moves all networks alike: the best so far is that of first trainings
        first = np.where([trial["source"] == RERUN for trial in done], np.inf, relative)
        axes.step(order, np.minimum.accumulate(first), where="post", color=INK, lw=1.6, label="best so far")
        axes.set_ylim(*_robust_range(relative))
    _zero_line(axes, vertical=False)
    axes.set_xlabel("minutes of searching" if over_time else "trials finished")
    axes.set_ylabel("lead, %")
    axes.yaxis.set_major_formatter(FuncFormatter(_signed))
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    if not over_time:
        figure.legend(loc="outside upper left", ncols=4, handletextpad=0.3, columnspacing=1.0)
    return figure


def curves_figure(trials: Sequence[TrialRow], baseline: float, sources: Sequence[str], *, best: str | None) -> Figure:
    """Validation score of every trial over its training steps, the best one drawn strong."""
    figure, axes = new_figure(2.7)
    everything = []
    for trial in sorted(trials, key=lambda trial: trial["id"] == best):
        if not trial["curve"]:
            continue
        steps, scores = np.array(trial["curve"], dtype=float).T
        relative = 100 * (scores - baseline) / baseline
        everything.append(relative)
        chosen = trial["id"] == best
        colour = SERIES[sources.index(trial["source"]) % len(SERIES)]
        axes.plot(
            steps,
            relative,
            "o-",
            color=INK if chosen else colour,
            alpha=1.0 if chosen else 0.5,
            lw=2.2 if chosen else 1.1,
            ms=4 if chosen else 2.5,
        )
    if everything:
        axes.set_ylim(*_robust_range(np.concatenate(everything)))
    _zero_line(axes, vertical=False)
    axes.set_xlabel("training steps")
    axes.set_ylabel("lead, %")
    axes.yaxis.set_major_formatter(FuncFormatter(_signed))
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    return figure


def arms_figure(
    arms: Sequence[ArmRow], what: Literal["share", "reward", "usd"], label: str, sources: Sequence[str]
) -> Figure:
    """Share, mean reward or cost of each arm over the proposals of all arms, in the colours that its trials have."""
    figure, axes = new_figure(2.7)
    for arm in arms:
        points = [(point["proposals"], point[what]) for point in arm["curve"] if point[what] is not None]
        if points:
            colour = SERIES[sources.index(arm["name"]) % len(SERIES)]
            axes.plot(*zip(*points, strict=True), color=colour, label=_short(arm["name"]))
    axes.set_xlabel("proposals after the hand-written ones")
    axes.set_ylabel(label)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    figure.legend(loc="outside upper left", ncols=3, handlelength=1.2, columnspacing=1.0)
    return figure


def _robust_range(values: Floats) -> tuple[float, float]:
    """Axis limits that show the good trials well: what lies far above the median is cut off."""
    low = min(0.0, float(values.min()))
    high = max(0.0, min(float(values.max()), float(np.median(values)) + 2.5 * (float(np.median(values)) - low)))
    room = 0.08 * (high - low) or 0.1
    return low - room, high + 3 * room


def _elapsed(trial: TrialRow) -> float:
    assert trial["elapsed"] is not None
    return float(trial["elapsed"])


def _zero_line(axes: Axes, *, vertical: bool) -> None:
    (axes.axvline if vertical else axes.axhline)(0.0, color=INK, lw=1.0, ls=(0, (4, 3)), zorder=1)


def _short(text: str, length: int = 22) -> str:
    return text if len(text) <= length else text[: length - 1] + "\N{HORIZONTAL ELLIPSIS}"


def _signed(value: float, _: object) -> str:
    return "0" if abs(value) < 1e-9 else f"{value:+.3g}".replace("-", "\N{MINUS SIGN}")


def _price(value: float, _: object) -> str:
    return f"{value:,.0f}" if abs(value) >= 10000 else f"{value:.6g}"


def _clock(seconds: float) -> str:
    return datetime.fromtimestamp(round(seconds), UTC).strftime("%H:%M")


def span(seconds: int) -> str:
    """Seconds as "5 min" or "3 h"."""
    return f"{seconds // 3600} h" if seconds % 3600 == 0 else f"{seconds // 60} min"
