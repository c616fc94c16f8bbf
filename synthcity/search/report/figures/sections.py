"""Which plots stand in which section of the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Literal, ParamSpec

from markupsafe import Markup
from matplotlib.figure import Figure

from synthcity.forecast.evaluation.diagnostics import DiagnosticsTold, PitRow
from synthcity.forecast.evaluation.regimes import GroupRow, GroupsTold
from synthcity.search.report.figures.choices import importance_figure, parallel_figure, slice_figure
from synthcity.search.report.figures.course import (
    arms_figure,
    curves_figure,
    lanes_figure,
    losses_figure,
    search_figure,
)
from synthcity.search.report.figures.forecasts import fan_figure, pit_figure
from synthcity.search.report.figures.leads import group_figure, group_limits, lead_figure
from synthcity.search.report.figures.scales import panel_limits, span
from synthcity.search.report.figures.style import draw
from synthcity.search.report.model import Report
from synthcity.wording import moment, unbroken

P = ParamSpec("P")
Captioned = list[tuple[str, Markup]]
_MAIN_ASSETS = 2  # assets whose fan charts are open at once; the others unfold
_SLICES = 6


def sections(report: Report) -> dict[str, Captioned]:
    """Return all plots with their captions, by section; a section without data has an empty list."""
    assets = assets_of(report)
    limits, prompts = panel_limits(list(report["leads"].values())), report["run"].get("prompts", {})
    return {
        "leads": [
            (name, _draw(f"lead{at}", lead_figure, lead, assets, limits, prompts))
            for at, (name, lead) in enumerate(report["leads"].items())
        ],
        "search": _search(report),
        "choices": _choices(report),
        "slices": _slices(report),
        "arms": _arms(report),
        **_diagnostics(report["diagnostics"], assets, report["verdict"]["challenger"] or ""),
        "groups": _groups(report["groups"], report.get("horizons") or []),
    }


def assets_of(report: Report) -> list[str]:
    """Return the assets that have scores, in the run's order."""
    present = {asset for row in report["scores"] for asset in row["by_asset"]}
    ordered = [asset for asset in report["run"]["assets"] if asset in present]
    return ordered + sorted(present - set(ordered))


def _sources(report: Report) -> list[str]:
    """Return who proposed, in the order of their colours; arms that proposed nothing come last."""
    found = {trial["source"] for trial in report["trials"]}
    return [*sorted(found), *sorted({arm["name"] for arm in report["arms"]} - found)]


def _search(report: Report) -> Captioned:
    trials, baselines, sources = report["trials"], report["validation_baselines"], _sources(report)
    if not baselines or not any(trial["curve"] for trial in trials):
        return []
    lanes, losses = report.get("lanes"), report.get("losses")
    best = report.get("best_trial")

    def search(name: str, *, over_time: bool) -> Markup:
        return _draw(name, search_figure, trials, over_time=over_time, sources=sources)

    found = [
        ("Best so far, trial by trial", search("search0", over_time=False)),
        ("Best so far, over time", search("search1", over_time=True)),
        (
            "Learning curves on validation, the best drawn strong",
            _draw("curves", curves_figure, trials, min(baselines.values()), sources, best=best),
        ),
    ]
    if losses:
        found.append(("Training loss of the same", _draw("losses", losses_figure, trials, losses, sources, best=best)))
    if lanes:
        found.append(("Who trained when", _draw("lanes", lanes_figure, lanes, sources)))
    return found


def _choices(report: Report) -> Captioned:
    moved, rows = report.get("importance"), report.get("parameters")
    found = [("Which choices moved the score", _draw("importance", importance_figure, moved))] if moved else []
    if rows:
        parallel = _draw("parallel", parallel_figure, rows, report["trials"])
        found.append(("What went together: a line a network, the best fourth strong", parallel))
    return found


def _slices(report: Report) -> Captioned:
    rows, sources = (report.get("parameters") or [])[:_SLICES], _sources(report)
    return [
        (row["name"], _draw(f"slice{at}", slice_figure, row, report["trials"], sources)) for at, row in enumerate(rows)
    ]


def _arms(report: Report) -> Captioned:
    arms, sources = report["arms"], _sources(report)
    if not any(arm["curve"] for arm in arms):
        return []
    plots: list[tuple[str, Literal["share", "reward", "usd"], str]] = [
        ("Share of the proposals", "share", "share"),
        ("Mean reward of finished trials", "reward", "reward"),
    ]
    if any(arm["usd"] for arm in arms):
        plots.append(("Money spent on a language model", "usd", "USD"))
    return [(title, _draw(f"arm-{what}", arms_figure, arms, what, label, sources)) for title, what, label in plots]


def _diagnostics(told: DiagnosticsTold | None, assets: Sequence[str], name: str) -> dict[str, Captioned]:
    if told is None:
        return {"fans": [], "more_fans": [], "pit": [], "more_pit": [], "levels": []}
    names, main, more = (name, told.get("rival", "")), Captioned(), Captioned()
    for at, fan in enumerate(told["fans"]):
        caption = f"{fan['asset']}, {fan['kind']}: {moment(fan['start_time'])}"
        where = main if fan["asset"] in assets[:_MAIN_ASSETS] else more
        where.append((caption, _draw(f"fan{at}", fan_figure, fan, names)))
    pooled, *single = [list(rows) for _, rows in groupby(told["pit"], key=lambda row: row["asset"])]
    levels = [row for row in told.get("levels", []) if row["asset"] == pooled[0]["asset"]]
    return {
        "fans": main,
        "more_fans": more,
        "pit": [_pooled(row, f"pit{row['horizon']}", f"{span(row['horizon'])} changes") for row in pooled],
        "levels": [_pooled(row, f"level{row['horizon']}", f"prices after {span(row['horizon'])}") for row in levels],
        "more_pit": [(rows[0]["asset"], _draw(f"pit-{at}", pit_figure, rows)) for at, rows in enumerate(single)],
    }


def _pooled(row: PitRow, name: str, what: str) -> tuple[str, Markup]:
    return _coverage(row, what), _draw(name, pit_figure, [row], True)


def _coverage(row: PitRow, what: str) -> str:
    """How often what was realised fell inside the central part of the ensemble, and how often it was asked."""
    density = row["density"]
    if not density:
        return "no realised change is known"
    bins = len(density)
    outer = max(1, bins // 20)
    inside, part = sum(density[outer : bins - outer]) / bins, 100 * (bins - 2 * outer) / bins
    return unbroken(f"{what} ({row['count']:,}): {100 * inside:.1f} % in the central {part:.0f} %")


def _groups(groups: GroupsTold | None, horizons: Sequence[GroupRow]) -> Captioned:
    by_hour, by_regime = (groups["by_hour"], groups["by_regime"]) if groups else ([], [])
    limits = group_limits([*by_hour, *by_regime, *horizons])
    several = (
        ("By the change that is scored", "by_horizon", horizons, "change that is scored"),
        ("By hour of day of the prompt", "by_hour", by_hour, "hour of the prompt, UTC"),
        ("By volatility of the 24 h before the prompt", "by_regime", by_regime, "volatility, terciles of each asset"),
    )
    return [(title, _draw(name, group_figure, rows, label, limits)) for title, name, rows, label in several if rows]


def _draw(name: str, build: Callable[P, Figure], *data: P.args, **named: P.kwargs) -> Markup:
    return Markup(draw(name, build, *data, **named))  # matplotlib escapes the texts in it
