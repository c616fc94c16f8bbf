"""The report as one self-contained page: nothing on it is loaded from anywhere."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Literal, ParamSpec

import jinja2
from markupsafe import Markup
from matplotlib.figure import Figure

from synthcity.documents import write_yaml
from synthcity.forecast.evaluation.diagnostics import DiagnosticsTold, PitRow
from synthcity.forecast.evaluation.regimes import GroupRow, GroupsTold
from synthcity.search.report import figures
from synthcity.search.report.findings.money import pay_sentence
from synthcity.search.report.findings.next_steps import next_steps
from synthcity.search.report.model import Report, TrialRow
from synthcity.search.report.price import price_line
from synthcity.search.report.search_figures import importance_figure, lanes_figure
from synthcity.wording import duration, percent

P = ParamSpec("P")
_MAIN_ASSETS = 2  # assets whose fan charts are open at once; the others unfold


def render(report: Report) -> str:
    """Return the page; every text in ``report`` is escaped."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("synthcity.search.report", "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    filters: dict[str, Callable[..., str]] = {
        "compact": _compact,
        "duration": duration,
        "moment": _moment,
        "number": _number,
        "percent": lambda value: _unbroken(percent(value)),
        "unbroken": _unbroken,
    }
    environment.filters |= filters

    def source(name: str) -> Markup:
        assert environment.loader is not None
        return Markup(environment.loader.get_source(environment, name)[0])  # our own files, nothing of the run

    return environment.get_template("report.html").render(
        report=report,
        price_line=price_line(report["run"]["price"]) if "price" in report["run"] else "",
        style=source("report.css"),
        script=source("report.js"),
        figures=_figures(report),
        assets=_assets(report),
        config_text=write_yaml(report["config"]),
        trials=sorted(report["trials"], key=_trial_order),
        money=_money(report),
        steps=next_steps(report),
        architectures={trial["id"]: trial["architecture"] for trial in report["trials"]},
    )


def _money(report: Report) -> str:
    """What the lead means in money; nothing where no candidate survived, and for a report of an earlier version."""
    pay, run = report.get("pay"), report["run"]
    return pay_sentence(pay, run["competition"], is_simulated=run.get("is_simulated", False)) if pay else ""


def _figures(report: Report) -> dict[str, object]:
    """All plots, by section; a section without data has an empty list."""
    assets = _assets(report)
    every = [row for lead in report["leads"].values() for row in (lead, *lead["by_asset"].values())]
    limits = figures.lead_limits(every)
    return {
        "leads": [
            (name, _draw(f"lead{at}", figures.lead_figure, lead, assets, limits))
            for at, (name, lead) in enumerate(report["leads"].items())
        ],
        "search": _search_figures(report),
        "arms": _arm_figures(report),
        **_diagnostic_figures(report["diagnostics"], assets),
        "groups": _group_figures(report["groups"], report.get("horizons") or []),
    }


def _search_figures(report: Report) -> list[tuple[str, Markup]]:
    trials, baselines = report["trials"], report["validation_baselines"]
    if not baselines or not any(trial["curve"] for trial in trials):
        return []
    sources = _sources(report)
    lanes, moved = report.get("lanes"), report.get("importance")
    scored = [t for t in trials if t["score"] is not None and t["state"] != "failed"]
    best = min(scored, key=lambda t: t["score"] or 0.0)["id"] if scored else None

    def search(name: str, *, over_time: bool) -> Markup:
        return _draw(name, figures.search_figure, trials, over_time=over_time, sources=sources)

    return [
        ("Best so far, trial by trial", search("search0", over_time=False)),
        ("Best so far, over time", search("search1", over_time=True)),
        (
            "Learning curves, the best drawn strong",
            _draw("curves", figures.curves_figure, trials, min(baselines.values()), sources, best=best),
        ),
        *([("Who trained when", _draw("lanes", lanes_figure, lanes, sources))] if lanes else []),
        *([("Which choices moved the score", _draw("importance", importance_figure, moved))] if moved else []),
    ]


def _sources(report: Report) -> list[str]:
    """Return who proposed, in the order of their colours; arms that proposed nothing come last."""
    found = {trial["source"] for trial in report["trials"]}
    return [*sorted(found), *sorted({arm["name"] for arm in report["arms"]} - found)]


def _arm_figures(report: Report) -> list[tuple[str, Markup]]:
    arms, sources = report["arms"], _sources(report)
    if not any(arm["curve"] for arm in arms):
        return []
    plots: list[tuple[str, Literal["share", "reward", "usd"], str]] = [
        ("Share of the proposals", "share", "share"),
        ("Mean reward of finished trials", "reward", "reward"),
    ]
    if any(arm["usd"] for arm in arms):
        plots.append(("Money spent on a language model", "usd", "USD"))
    return [
        (title, _draw(f"arm-{what}", figures.arms_figure, arms, what, label, sources)) for title, what, label in plots
    ]


def _diagnostic_figures(diagnostics: DiagnosticsTold | None, assets: Sequence[str]) -> dict[str, object]:
    if diagnostics is None:
        return {"fans": [], "more_fans": [], "pit": [], "more_pit": []}
    fans = []
    for at, fan in enumerate(diagnostics["fans"]):
        caption = f"{fan['asset']}, {fan['kind']}: {_moment(fan['start_time'])}"
        fans.append((fan["asset"], caption, _draw(f"fan{at}", figures.fan_figure, fan)))
    main = {fan[0] for fan in fans if fan[0] in assets[:_MAIN_ASSETS]}
    pooled, *single = [list(rows) for _, rows in groupby(diagnostics["pit"], key=lambda row: row["asset"])]
    return {
        "fans": [fan[1:] for fan in fans if fan[0] in main],
        "more_fans": [fan[1:] for fan in fans if fan[0] not in main],
        "pit": [(_coverage(row), _draw(f"pit{row['horizon']}", figures.pit_figure, [row], True)) for row in pooled],
        "more_pit": [
            (rows[0]["asset"], _draw(f"pit-{at}", figures.pit_figure, rows)) for at, rows in enumerate(single)
        ],
    }


def _coverage(row: PitRow) -> str:
    """How often the realised change fell inside the central 90 % of the ensemble."""
    density = row["density"]
    if not density:
        return "no realised change is known"
    outer = len(density) // 20
    inside = sum(density[outer : len(density) - outer]) / len(density)
    return _unbroken(f"{figures.span(row['horizon'])} changes: {100 * inside:.1f} % in the central 90 %")


def _group_figures(groups: GroupsTold | None, horizons: Sequence[GroupRow]) -> list[tuple[str, Markup]]:
    by_hour, by_regime = (groups["by_hour"], groups["by_regime"]) if groups else ([], [])
    limits = figures.group_limits([*by_hour, *by_regime, *horizons])
    several = (
        ("By the change that is scored", "by_horizon", horizons, "change that is scored"),
        ("By hour of day of the prompt", "by_hour", by_hour, "hour of the prompt, UTC"),
        ("By volatility of the 24 h before the prompt", "by_regime", by_regime, "volatility, terciles of each asset"),
    )
    return [
        (title, _draw(name, figures.group_figure, rows, label, limits)) for title, name, rows, label in several if rows
    ]


def _draw(name: str, build: Callable[P, Figure], *data: P.args, **named: P.kwargs) -> Markup:
    return Markup(figures.draw(name, build, *data, **named))  # matplotlib escapes the texts in it


def _assets(report: Report) -> list[str]:
    present = {asset for row in report["scores"] for asset in row["by_asset"]}
    ordered = [asset for asset in report["run"]["assets"] if asset in present]
    return ordered + sorted(present - set(ordered))


def _trial_order(trial: TrialRow) -> tuple[bool, float]:
    return trial["score"] is None or trial["state"] == "failed", trial["score"] or 0.0


def _number(value: float | None, digits: int = 0) -> str:
    return "-" if value is None else f"{value:,.{digits}f}".replace("-", "\N{MINUS SIGN}")


def _moment(value: float | None) -> str:
    return "-" if value is None else datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _unbroken(text: str) -> str:
    """A number keeps its percent sign when a line is full."""
    return text.replace(" %", "\N{NO-BREAK SPACE}%")


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
