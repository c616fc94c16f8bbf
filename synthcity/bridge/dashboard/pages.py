"""What the pages show: the answers of operations, and nothing that they do not tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

import jinja2

from synthcity.bridge.dashboard.plots import curves, trend_line
from synthcity.bridge.jobs import board
from synthcity.bridge.operation import Answer, Refused
from synthcity.bridge.place import DEFAULT_BOT, Place
from synthcity.bridge.registry import operations
from synthcity.errors import SynthcityError
from synthcity.market.times import format_time
from synthcity.search.report.markup import coded
from synthcity.search.report.saving import REPORT_HTML
from synthcity.wording import SIGN, duration, percent

_MOST_RUNS, _MOST_JOBS = 50, 20


@dataclass(frozen=True, kw_only=True)
class Part:
    """One section: what an operation answered, or why it did not."""

    answer: Answer | None
    why_not: str


def front(place: Place, bot: str) -> str:
    """Return the page of one bot: what runs, the newest run, past runs, trend, miner."""
    runs = _ask(place, bot, "history", order="recent", limit=_MOST_RUNS)
    newest = runs.answer["runs"][0]["id"] if runs.answer and runs.answer["runs"] else None
    trends = _ask(place, bot, "trends")
    return _template("front.html").render(
        title="synthcity",
        bot=bot,
        bots=sorted({DEFAULT_BOT, bot, *(job.bot for job in board.jobs(place))}),
        jobs=_ask(place, bot, "jobs", limit=_MOST_JOBS),
        live=_ask(place, bot, "live", id=newest) if newest else Part(answer=None, why_not="no run yet"),
        runs=runs,
        trends=trends,
        trend_plot=trend_line(trends.answer["timeline"]) if trends.answer else "",
        miner=_ask(place, bot, "miner"),
        pipeline=_pipeline(place, bot),
        curves=curves,
    )


def run_page(place: Place, bot: str, id: str) -> str:
    """Return the page of one run.

    Raises:
        Refused: there is none.
    """
    run = operations()["show"].do({"id": id}, place, bot)
    live = _ask(place, bot, "live", id=run["id"])
    has_report = (place.runs_of(bot) / run["id"] / REPORT_HTML).is_file()
    return _template("run.html").render(
        title=run["id"], bot=bot, run=run, live=live, has_report=has_report, curves=curves
    )


def report_page(place: Place, bot: str, id: str) -> bytes:
    """Return the report that a run wrote.

    Raises:
        Refused: there is none.
    """
    run = operations()["show"].do({"id": id}, place, bot)
    try:
        return Path(place.runs_of(bot), run["id"], REPORT_HTML).read_bytes()
    except OSError:
        raise Refused(f"the run {run['id']!r} has no report yet; it is written at its end", 404) from None


def docs_page() -> str:
    """Return what can be asked for, for people."""
    return _template("docs.html").render(title="Operations", bot=DEFAULT_BOT, operations=list(operations().values()))


def asset(name: str) -> str:
    """Return a file of the page."""
    return (resources.files(__package__) / "templates" / name).read_text(encoding="utf-8")


def _pipeline(place: Place, bot: str) -> Part:
    """How the pipeline of a bot stands that runs, or did last."""
    found = _ask(place, bot, "pipelines", limit=1)
    if found.answer is None:
        return found
    if not found.answer["pipelines"]:
        return Part(answer=None, why_not="no pipeline yet; `synthcity pipeline` or `synthcity client run` starts one")
    return Part(answer=found.answer["pipelines"][0], why_not="")


def _ask(place: Place, bot: str, operation: str, **given: object) -> Part:
    try:
        return Part(answer=operations()[operation].do(given, place, bot), why_not="")
    except SynthcityError as error:
        return Part(answer=None, why_not=str(error))


@cache
def _templates() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(__package__), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
    )
    environment.filters |= {
        "percent": percent,
        "duration": duration,
        "moment": _moment,
        "clock": _clock,
        "joined": _joined,
        "coded": coded,
    }
    environment.globals["SIGN"] = SIGN
    return environment


def _template(name: str) -> jinja2.Template:
    return _templates().get_template(name)


def _moment(text: str | None) -> str:
    return "-" if text is None else text.replace("T", " ").removesuffix("Z")[:16]


def _clock(seconds: float) -> str:
    return format_time(int(seconds))


def _joined(values: Sequence[object]) -> str:
    return ", ".join(map(str, values))
