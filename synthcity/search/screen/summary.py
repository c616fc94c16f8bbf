"""The last lines of a search on the screen: verdict, money, table, where things are and what to do next."""

from __future__ import annotations

import os
import textwrap
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from synthcity.search.arms import LLM
from synthcity.search.proposers.arm_table import ArmRow
from synthcity.search.report.findings.money import pay_sentence
from synthcity.search.report.findings.next_steps import next_steps
from synthcity.search.report.model import Report
from synthcity.search.report.outcome import SearchResult
from synthcity.search.report.price import price_line
from synthcity.search.report.repairs import repair_line
from synthcity.wording import SIGN, bounds, duration, percent

_GAP = "  "


def summary(result: SearchResult, width: int | None = None) -> str:
    """Return the verdict block; sentences are wrapped and columns of assets left out to fit ``width``, if given."""
    report = result.report
    lines = ["", report["verdict"]["sentence"]]
    if pay := report.get("pay"):
        run = report["run"]
        lines.append(pay_sentence(pay, run["competition"], is_simulated=run["is_simulated"]))
    if report.get("earnings"):
        lines.append(report["earnings"])
    lines += ["", f"Scores in basis points, lower is better; leads over each in percent, {SIGN}.", ""]
    lines += _table(report, width)
    if report["choice"]:
        lines += ["", f"{report['choice']}."]
    lines += [report["mixed"]] if report.get("mixed") else []
    lines += ["", report["inputs"]] if report.get("inputs") else []
    lines += ["", report["research"]] if report.get("research") else []
    lines += _time(report)
    if "price" in report["run"] and (cost := price_line(report["run"]["price"])):
        lines += ["", f"cost        {cost}"]
    lines += _without_model(report["arms"])
    if report["repairs"]:
        lines += ["", repair_line(report["repairs"])]
    if report.get("tracking"):
        lines += ["", *report["tracking"]]
    if report["run"]["is_simulated"]:
        refused = "`synthcity mine run` refuses the bundle, a rehearsal takes it"
        lines += ["", f"SIMULATED market: no price here was ever paid; {refused}"]
    lines += ["", *_places(result)]
    told = lines if width is None else [part for line in lines for part in _wrapped(line, width)]
    return "\n".join([*told, "", "what next", *_next(report, _short(result.folder))])


def _table(report: Report, width: int | None) -> list[str]:
    """The frozen forecaster against all baselines: a row each, with its lead over it."""
    verdict, assets = report["verdict"], report["run"]["assets"]
    name = verdict["challenger"] if verdict["winner_is_baseline"] else verdict["winner"]
    title = ["test period", *assets, "mean", f"lead of {name}", "95 % interval", "verdict"]
    rows = [title]
    for row in report["scores"]:
        scores = [f"{row['by_asset'][asset]:.1f}" for asset in assets]
        rows.append([row["name"], *scores, f"{row['mean']:.1f}", *_lead(report, row["name"])])
    if width is not None and _width(rows) > width:
        rows = [[row[0], *row[1 + len(assets) :]] for row in rows]  # the report has every asset
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [_line(row, widths) for row in rows]


def _width(rows: Sequence[Sequence[str]]) -> int:
    return sum(max(map(len, column)) for column in zip(*rows, strict=True)) + len(_GAP) * (len(rows[0]) - 1)


def _lead(report: Report, name: str) -> list[str]:
    found = report["leads"].get(name)
    if found is None:
        return ["", "", ""]
    proven = "proven" if report["verdict"]["proven_against"].get(name) else "not proven"
    return [percent(found["mean"]), bounds(found["low"], found["high"]), proven]


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:-1], widths[1:], strict=False))]
    return _GAP.join([*cells, row[-1]]).rstrip()


def _places(result: SearchResult) -> list[str]:
    lines = [
        f"run folder  {_short(result.folder)}",
        f"bundle      {_short(result.winner)}",
        f"report      {_short(result.page)}",
    ]
    if (kept := result.vault) is not None:
        lines.append(f"vault       {kept.vault} as {kept.id}" if kept.id else f"vault       not yet: {kept.reason}")
        if not kept.id:
            lines.append(f"            `synthcity vault flush --runs {_short(result.folder.parent)}` sends it")
    return lines


def _next(report: Report, folder: str) -> list[str]:
    """Commands under comments, so that all of it can be pasted into a shell."""
    return [line for step in next_steps(report, folder) for line in (f"  # {step.why}", f"  {step.command}")]


def _wrapped(line: str, width: int) -> list[str]:
    if len(line) <= width or line[:1] == " " or _GAP in line:  # a row of a table or a path stays whole
        return [line]
    return textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False)


def _time(report: Report) -> list[str]:
    """Say how long it took where there was a budget, and what was cut for it."""
    run = report["run"]
    if run["time_budget"] is None:
        return []
    return ["", f"time        {duration(run['seconds'])} of {duration(run['time_budget'])}", *report["cuts"]]


def _without_model(arms: Sequence[ArmRow]) -> list[str]:
    """Say what was done without the language model that the sweep file asks for: proposals, with the reason, and
    questions that brought nothing."""
    away: dict[str, list[ArmRow]] = defaultdict(list)
    for arm in arms:
        if arm["name"].startswith(LLM) and arm["reason"]:
            away[arm["reason"]].append(arm)
    total = sum(arm["proposals"] for arm in arms)
    lines = []
    for reason, rows in away.items():
        parts = [f"{arm['name']} away for {arm['away']} of {total} proposals" for arm in rows]
        lines.append(f"no language model: {reason} ({', '.join(parts)})")
    vain = [
        f"{arm['in_vain']} of {arm['questions']} by {arm['name']}"
        for arm in arms
        if arm["name"].startswith(LLM) and arm["in_vain"]
    ]
    if vain:
        lines.append(f"questions to the language model that brought nothing: {', '.join(vain)}; the report says why")
    return ["", *lines] if lines else []


def _short(path: Path) -> str:
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative
