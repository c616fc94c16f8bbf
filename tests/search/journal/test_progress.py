"""Times are counted over the sessions of a run, the pauses between them left out."""

from __future__ import annotations

from typing import Any

import pytest

from synthcity.search.journal.history import TrialHistory
from synthcity.search.journal.progress import Progress
from tests.search.builders import candidate, tell


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
        event("stage", 45.0, name="search", message=""),
    ]


def session_of(*names: str) -> list[dict[str, Any]]:
    begun = session((names[0], names[1]))
    proposed = [{**tell(candidate(int(name[1:])), status="queued")[0], "time": 5.0} for name in names]
    return [begun[0], *proposed, *begun[1:]]


def progress_of(events: list[dict[str, Any]]) -> Progress:
    return Progress(TrialHistory.replay(events))


SESSION = session_of("c0000", "c0001")


def test_counts_from_first_trial_to_last_on_all_workers() -> None:
    assert progress_of(SESSION).utilisation() == pytest.approx(27.0 / (20.0 * 2))


def test_time_between_sessions_does_not_count() -> None:
    later = [{**entry, "time": entry["time"] + 1e6} for entry in session_of("c0002", "c0003")]
    later[0]["kind"] = "run_resumed"
    progress = progress_of([*SESSION, *later])
    assert progress.utilisation() == pytest.approx(27.0 / (20.0 * 2))
    assert progress.history.used_seconds == pytest.approx(90.0)


def test_a_session_without_trials_changes_nothing() -> None:
    resumed = [*SESSION, event("run_resumed", 100.0, workers=2), event("stage", 150.0, name="finals", message="")]
    assert progress_of(resumed).utilisation() == progress_of(SESSION).utilisation()
    assert progress_of([event("run_started", 0.0, workers=1)]).utilisation() is None
    assert progress_of([]).history.used_seconds == 0.0
