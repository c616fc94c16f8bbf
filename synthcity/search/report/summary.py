"""The last lines of a search on the screen: verdict, table, where things are."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from synthcity.search.arms import LLM
from synthcity.search.proposers.arm_table import ArmRow
from synthcity.search.report.outcome import SearchResult
from synthcity.search.report.repairs import repair_line


def summary(result: SearchResult) -> str:
    """Return verdict, the table of the frozen forecaster against all baselines, and the paths."""
    report = result.report
    assets = report["run"]["assets"]
    header = ["test period", *assets, "mean", "lead of the winner over it, 95 % interval"]
    if report["verdict"]["winner_is_baseline"]:
        header[-1] = f"lead of {report['verdict']['challenger']} over it, 95 % interval"
    rows = [header]
    for row in report["scores"]:
        scores = [f"{row['by_asset'][asset]:.1f}" for asset in assets]
        rows.append([row["name"], *scores, f"{row['mean']:.1f}", _lead(result, row["name"])])
    widths = [max(len(row[column]) for row in rows) for column in range(len(header))]
    lines = ["", report["verdict"]["sentence"], ""]
    lines += [_line(row, widths) for row in rows]
    lines += _without_model(report["arms"])
    if report["repairs"]:
        lines += ["", repair_line(report["repairs"])]
    lines += [
        "",
        f"run folder  {_short(result.folder)}",
        f"bundle      {_short(result.winner)}",
        f"report      {_short(result.page)}",
    ]
    return "\n".join(lines)


def _lead(result: SearchResult, name: str) -> str:
    found = result.report["leads"].get(name)
    if found is None:
        return ""
    proven = "proven" if result.report["verdict"]["proven_against"].get(name) else "not proven"
    if found["low"] is None or found["high"] is None:
        return f"{found['mean']:+.2f} % (too few days for an interval)  {proven}"
    return f"{found['mean']:+.2f} % ({found['low']:+.2f} to {found['high']:+.2f})  {proven}"


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
