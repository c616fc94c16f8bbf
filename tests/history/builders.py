"""Short ways to rows and run folders."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from synthcity.history.row import NOT_PROVEN, PROVEN, Lead, Row
from synthcity.lines import LineWriter

DAY = 86_400.0
BEGIN = 1_760_000_000.0


def row(id: str, lead: float | None = -0.5, *, proven: bool = True, day: int = 0, **changes: Any) -> Row:
    """A finished run with an interval of half a percent around its lead."""
    found = None if lead is None else Lead(against="fhs", mean=lead, low=lead - 0.25, high=lead + 0.25)
    told: dict[str, Any] = {"name": id, "began": BEGIN + day * DAY, "competition": "crypto-24h", "lead": found}
    return Row(id=id, **{**told, "verdict": PROVEN if proven else NOT_PROVEN, "score": 5000.0, **changes})


def report(**changes: Any) -> dict[str, Any]:
    """The part of a report that a row is made of."""
    told = {
        "schema": 4,
        "run": {"name": "sweep", "started": BEGIN, "competition": "crypto-24h", "is_simulated": False, "usd": 1.25},
        "verdict": {"proven": True, "winner": "mix", "challenger": "mix", "best_baseline": "fhs"},
        "scores": [{"name": "mix", "mean": 5500.0}, {"name": "fhs", "mean": 5540.0}],
        "leads": {"fhs": {"mean": -0.6, "low": -0.8, "high": -0.4, "by_asset": {}}},
        "arms": [{"usd": 0.5}, {"usd": 0.25}],
        "trials": [{}, {}, {}],
        "periods": {"train": ["2025-01-01", "2025-08-01"], "test": ["2025-11-01", "2026-01-01"]},
    }
    return {**told, **changes}


def write_run(folder: Path, told: dict[str, Any] | None = None, events: list[dict[str, Any]] | None = None) -> Path:
    """Write a report where one is given, and a journal, which by default is over."""
    folder.mkdir(parents=True, exist_ok=True)
    if told is not None:
        (folder / "report.json").write_text(json.dumps(told, indent=1))
    with LineWriter(folder / "journal.jsonl") as lines:
        for event in [{"kind": "run_finished", "winner": "mix", "time": BEGIN}] if events is None else events:
            lines.append(event)
    return folder


def started(**changes: Any) -> dict[str, Any]:
    """The first event of a run."""
    told = {"name": "sweep", "competition": "crypto-1h", "time": BEGIN, "version": 2, "workers": 1}
    data = {"source": "store", "periods": {"test": ["2025-11-01", "2026-01-01"]}}
    return {"kind": "run_started", **told, "config": {"data": data}, **changes}
