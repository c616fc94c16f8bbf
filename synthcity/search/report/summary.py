"""The last lines of a search on the screen: verdict, table, where things are."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from synthcity.search.arms import LLM
from synthcity.search.proposers.arm_table import ArmRow
from synthcity.search.report.model import Report
from synthcity.search.report.outcome import SearchResult
from synthcity.search.report.repairs import repair_line
from synthcity.wording import SIGN, between, duration, percent


def summary(result: SearchResult) -> str:
    """Return verdict, the table of the frozen forecaster against all baselines, and the paths."""
    report = result.report
    assets = report["run"]["assets"]
    name = report["verdict"]["challenger"] if report["verdict"]["winner_is_baseline"] else report["verdict"]["winner"]
    header = ["test period", *assets, "mean", f"{name} against it ({SIGN})"]
    rows = [header]
    for row in report["scores"]:
        scores = [f"{row['by_asset'][asset]:.1f}" for asset in assets]
        rows.append([row["name"], *scores, f"{row['mean']:.1f}", _lead(result, row["name"])])
    widths = [max(len(row[column]) for row in rows) for column in range(len(header))]
    lines = ["", report["verdict"]["sentence"], ""]
    lines += [_line(row, widths) for row in rows]
    if report["choice"]:
        lines += ["", f"{report['choice']}."]
    if report.get("earnings"):
        lines += ["", report["earnings"]]
    lines += _time(report)
    lines += _without_model(report["arms"])
    if report["repairs"]:
        lines += ["", repair_line(report["repairs"])]
    if report.get("tracking"):
        lines += ["", *report["tracking"]]
    if report["run"]["is_simulated"]:
        lines += ["", "SIMULATED market: no price here was ever paid, so `synthcity mine` refuses the bundle"]
    lines += [
        "",
        f"run folder  {_short(result.folder)}",
        f"bundle      {_short(result.winner)}",
        f"report      {_short(result.page)}",
    ]
    if (kept := result.vault) is not None:
        lines.append(f"vault       {kept.vault} as {kept.id}" if kept.id else f"vault       not yet: {kept.reason}")
        if not kept.id:
            lines.append(f"            `synthcity vault flush --runs {_short(result.folder.parent)}` sends it")
    return "\n".join(lines)


def _lead(result: SearchResult, name: str) -> str:
    found = result.report["leads"].get(name)
    if found is None:
        return ""
    proven = "proven" if result.report["verdict"]["proven_against"].get(name) else "not proven"
    return f"{percent(found['mean'])} ({between(found['low'], found['high'])})  {proven}"


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


def _line(row: list[str], widths: list[int]) -> str:
    first, *numbers, last = row
    middle = "  ".join(text.rjust(width) for text, width in zip(numbers, widths[1:-1], strict=True))
    return f"{first.ljust(widths[0])}  {middle}  {last}".rstrip()


def _short(path: Path) -> str:
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative
