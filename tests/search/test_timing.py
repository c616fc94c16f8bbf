from __future__ import annotations

from typing import Any

import pytest

from synthcity.search.timing import used_seconds, utilisation


def event(kind: str, time: float, busy: float = 0.0) -> dict[str, Any]:
    return {"kind": kind, "time": time, "train_seconds": 0.8 * busy, "validation_seconds": 0.2 * busy}


SESSION = [
    event("run_started", 0.0),
    event("trial_started", 10.0),
    event("trial_started", 11.0),
    event("rung", 20.0, 9.0),
    event("rung", 30.0, 18.0),
    event("trial_finished", 30.0),
    event("stage", 45.0),
]


def test_counts_from_first_trial_to_last_on_all_workers() -> None:
    assert utilisation(SESSION, workers=2) == pytest.approx(27.0 / (20.0 * 2))


def test_time_between_sessions_does_not_count() -> None:
    later = [{**entry, "time": entry["time"] + 1e6} for entry in SESSION]
    later[0]["kind"] = "run_resumed"
    assert utilisation([*SESSION, *later], workers=2) == pytest.approx(27.0 / (20.0 * 2))
    assert used_seconds([*SESSION, *later]) == pytest.approx(90.0)


def test_a_session_without_trials_changes_nothing() -> None:
    assert utilisation([*SESSION, event("run_resumed", 100.0), event("stage", 150.0)], 2) == utilisation(SESSION, 2)
    assert utilisation([event("run_started", 0.0)], workers=2) is None
    assert used_seconds([]) == 0.0
