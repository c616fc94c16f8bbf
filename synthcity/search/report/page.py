"""The report as one self-contained page: nothing on it is loaded from anywhere."""

from __future__ import annotations

import json
from collections.abc import Callable

import jinja2
from markupsafe import Markup

from synthcity.documents import write_yaml
from synthcity.search.report.figures.sections import assets_of, sections
from synthcity.search.report.findings.money import pay_sentence
from synthcity.search.report.findings.next_steps import next_steps
from synthcity.search.report.markup import coded
from synthcity.search.report.model import Report, TrialRow
from synthcity.search.report.price import price_line
from synthcity.wording import duration, moment, percent, unbroken


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
        "coded": coded,
        "compact": _compact,
        "duration": duration,
        "moment": moment,
        "number": _number,
        "percent": lambda value: unbroken(percent(value)),
        "unbroken": unbroken,
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
        figures=sections(report),
        assets=assets_of(report),
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


def _trial_order(trial: TrialRow) -> tuple[bool, float]:
    return trial["score"] is None or trial["state"] == "failed", trial["score"] or 0.0


def _number(value: float | None, digits: int = 0) -> str:
    return "-" if value is None else f"{value:,.{digits}f}".replace("-", "\N{MINUS SIGN}")


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
