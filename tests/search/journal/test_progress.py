"""Times are counted over the sessions of a run, the pauses between them left out."""

from __future__ import annotations

from typing import Any

import pytest

from synthcity.search.journal.progress import Progress


def event(kind: str, time: float, busy: float = 0.0, **fields: Any) -> dict[str, Any]:
    return {"kind": kind, "time": time, "train_seconds": 0.8 * busy, "validation_seconds": 0.2 * busy, **fields}


def session(trials: tuple[str, str]) -> list[dict[str, Any]]:
    first, second = trials
    rung = {"rung": 1, "num_rungs": 1, "score": 1.0, "steps": 1}
    return [
        event("run_started", 0.0, workers=2),
        event("trial_started", 10.0, id=first),
        event("trial_started", 11.0, id=second),
        event("rung", 20.0, 9.0, id=first, **rung),
        event("rung", 30.0, 18.0, id=second, **rung),
        event("trial_finished", 30.0, id=second, status="completed", score=1.0),
        event("stage", 45.0),
    ]


SESSION = session(("a", "b"))


def test_counts_from_first_trial_to_last_on_all_workers() -> None:
    assert Progress(SESSION).utilisation() == pytest.approx(27.0 / (20.0 * 2))


def test_time_between_sessions_does_not_count() -> None:
    later = [{**entry, "time": entry["time"] + 1e6} for entry in session(("c", "d"))]
    later[0]["kind"] = "run_resumed"
    progress = Progress([*SESSION, *later])
    assert progress.utilisation() == pytest.approx(27.0 / (20.0 * 2))
    assert progress.used_seconds() == pytest.approx(90.0)


def test_a_session_without_trials_changes_nothing() -> None:
    resumed = [*SESSION, event("run_resumed", 100.0, workers=2), event("stage", 150.0)]
    assert Progress(resumed).utilisation() == Progress(SESSION).utilisation()
    assert Progress([event("run_started", 0.0)]).utilisation() is None
    assert Progress([]).used_seconds() == 0.0
