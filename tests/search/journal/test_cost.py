"""What machines cost while a run has them."""

from __future__ import annotations

from typing import Any

import pytest

from synthcity.search.journal.history import TrialHistory


def told(kind: str, session: int, clock: float, **fields: Any) -> dict[str, Any]:
    return {"kind": kind, "time": 1e9 + 1e5 * session + clock, "session": session, "clock": clock, **fields}


def machines(session: int, clock: float, count: int, gpus: float, rate: float) -> dict[str, Any]:
    return told("machines", session, clock, machines=count, gpus=gpus, usd_per_hour=rate)


def test_machines_cost_from_when_they_are_told_until_others_are() -> None:
    events: Any = [
        told("run_started", 1, 0.0, workers=4),
        machines(1, 600.0, 2, 2.0, 1.8),
        told("stage", 1, 1500.0, name="search", message=""),
        machines(1, 4200.0, 1, 1.0, 0.9),
        told("stage", 1, 7800.0, name="final", message=""),
    ]
    cost = TrialHistory.replay(events).cost
    assert cost.usd == pytest.approx(1.8 + 0.9)
    assert cost.gpu_hours == pytest.approx(2.0 + 1.0)
    assert (cost.machines, cost.gpus, cost.usd_per_hour) == (1, 1.0, 0.9)


def test_a_pause_costs_nothing_and_a_resumed_run_begins_without_machines() -> None:
    events: Any = [
        told("run_started", 1, 0.0, workers=4),
        machines(1, 0.0, 1, 1.0, 3.6),
        told("stage", 1, 1800.0, name="search", message=""),
        told("run_resumed", 2, 2.0, workers=4),
        told("stage", 2, 1000.0, name="search", message=""),
        machines(2, 2000.0, 1, 0.0, 3.6),
        told("stage", 2, 3000.0, name="search", message=""),
    ]
    cost = TrialHistory.replay(events).cost
    assert cost.usd == pytest.approx(1.8 + 1.0)
    assert cost.gpu_hours == pytest.approx(0.5)
