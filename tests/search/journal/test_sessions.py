"""Time is counted by a clock that never jumps: neither pauses between sessions nor a wall clock that jumps count."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from synthcity.search.journal import recorder as recorders
from synthcity.search.journal.history import TrialHistory
from synthcity.search.journal.journal import Journal
from synthcity.search.journal.recorder import Recorder


def event(kind: str, time: float, session: int | None = None, clock: float = 0.0, **fields: Any) -> dict[str, Any]:
    counted = {} if session is None else {"session": session, "clock": clock}
    return {"kind": kind, "time": time, **counted, **fields}


def stage(time: float, session: int | None = None, clock: float = 0.0) -> dict[str, Any]:
    return event("stage", time, session, clock, name="search", message="")


def test_a_resume_that_fails_hours_later_charges_its_own_seconds_alone() -> None:
    begun = [event("run_started", 1e6, 1, 2.0, workers=2), stage(1e6 + 33.8, 1, 35.8)]
    failed = event("run_interrupted", 1e6 + 28_800, 2, 0.7, reason="DataError: the store is away")
    resumed = [event("run_resumed", 1e6 + 30_000, 3, 1.0, workers=2), stage(1e6 + 30_009, 3, 10.0)]
    assert TrialHistory.replay([*begun, failed]).used_seconds == pytest.approx(36.5)
    assert TrialHistory.replay([*begun, failed, *resumed]).used_seconds == pytest.approx(46.5)


def test_a_wall_clock_that_jumps_changes_nothing() -> None:
    for jump in (-1e6, 1e6):
        known = TrialHistory.replay([event("run_started", 1e9, 1, 0.5, workers=2), stage(1e9 + jump, 1, 12.0)])
        assert known.used_seconds == 12.0


def test_a_journal_of_an_earlier_version_is_counted_by_its_times() -> None:
    begun = [event("run_started", 100.0, workers=2), stage(135.8)]
    failed = event("run_interrupted", 28_935.8, reason="DataError: the store is away")
    assert TrialHistory.replay([*begun, failed]).used_seconds == pytest.approx(35.8)
    again = [event("run_resumed", 30_000.0, workers=2), stage(30_010.0)]
    assert TrialHistory.replay([*begun, failed, *again]).used_seconds == pytest.approx(45.8)
    newer = [event("run_resumed", 50_000.0, 3, 0.5, workers=2), stage(1.0, 3, 4.0)]
    assert TrialHistory.replay([*begun, failed, *again, *newer]).used_seconds == pytest.approx(49.8)


def test_a_recorder_counts_on_where_the_last_session_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clocks = {"monotonic": 50.0, "time": 1e9}
    monkeypatch.setattr(recorders.time, "monotonic", lambda: clocks["monotonic"])
    monkeypatch.setattr(recorders.time, "time", lambda: clocks["time"])
    with Journal(tmp_path) as journal:
        recorder = Recorder(journal)
        clocks["monotonic"] += 30.0
        clocks["time"] -= 5_000.0
        recorder.emit("run_started", workers=1)
        assert recorder.used_seconds() == 30.0
    clocks["monotonic"], clocks["time"] = 3.0, 1e9 + 28_800  # after a reboot, eight hours later
    with Journal(tmp_path) as journal:
        recorder = Recorder(journal)
        assert recorder.used_seconds() == 30.0
        clocks["monotonic"] += 4.0
        recorder.emit("run_interrupted", reason="no")
        assert recorder.used_seconds() == 34.0
        assert recorder.history.used_seconds == 34.0
        assert [session.number for session in recorder.history.sessions] == [1, 2]


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


def test_each_session_costs_what_the_ledger_said_between_its_first_and_last_word() -> None:
    def spent(session: int, clock: float, usd: float) -> dict[str, Any]:
        return event("spent", 1e6 + clock, session, clock, cluster_usd=usd, cluster_gpu_hours=2 * usd)

    machines = event("machines", 1e6, 1, 1.0, machines=1, gpus=1, usd_per_hour=3600.0)
    first = [event("run_started", 1e6, 1, 0.5, workers=2), spent(1, 0.6, 7.0), machines, spent(1, 60.0, 7.5)]
    first += [stage(1e6 + 61.0, 1, 61.0), spent(1, 62.0, 7.4)]  # a machine never came
    second = [event("run_resumed", 2e6, 2, 0.5, workers=2), spent(2, 0.6, 20.0), spent(2, 60.0, 20.1)]
    cost = TrialHistory.replay([*first, *second]).cost
    assert (cost.usd, cost.gpu_hours, cost.is_ledger) == (pytest.approx(0.5), pytest.approx(1.0), True)
