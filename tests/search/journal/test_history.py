from __future__ import annotations

import json
from pathlib import Path

from synthcity.search.journal.history import FAILED, QUEUED, RUNNING, History
from tests.search.builders import candidate, history, tell


def test_a_whole_trial() -> None:
    record = history(tell(candidate(0), 5500.0, 5400.0, 5420.0)).trials["c0000"]
    assert record.status == "completed"
    assert record.finished
    assert record.score == 5400.0
    assert record.seconds == 33.0


def test_scored_is_best_first_and_leaves_failures_out() -> None:
    known = history(
        tell(candidate(0), 5500.0),
        tell(candidate(1), 5300.0, status="failed"),
        tell(candidate(2), 5400.0, status="stopped"),
        tell(candidate(3), status="queued"),
        tell(candidate(4), 5450.0, status="running"),
    )
    assert [record.candidate.id for record in known.scored] == ["c0002", "c0004", "c0000"]
    assert known.trials["c0001"].score is None
    assert known.trials["c0001"].failure == {"class": "TrialFailed", "message": "the loss became nan", "traceback": ""}
    assert [record.status for record in known.records][3:] == [QUEUED, RUNNING]


def test_a_rung_told_twice_counts_once() -> None:
    events = tell(candidate(0), 5500.0, 5400.0, status="running")
    repeated = {**events[-1], "score": 5410.0, "time": 999.0}
    record = History.replay([*events, repeated]).trials["c0000"]
    assert [rung["score"] for rung in record.rungs] == [5500.0, 5410.0]


def test_replay_equals_living_through_it() -> None:
    events = [event for index in range(3) for event in tell(candidate(index), 5500.0 - index)]
    events.insert(
        4,
        {"kind": "rejected", "time": 1.0, "source": "tpe", "stage": "duplicate", "reason": "known", "config": {}},
    )
    live = History()
    for event in events:
        live = live.after(json.loads(json.dumps(event)))
    assert live == History.replay(events)
    assert live.proposals("tpe") == 1
    assert live.proposals("random") == 3


def test_hidden_trials_are_merely_queued() -> None:
    known = history(tell(candidate(0), 5500.0), tell(candidate(1), 5400.0, status=FAILED))
    hidden = known.hidden_from(1)
    assert hidden.trials["c0000"] == known.trials["c0000"]
    assert hidden.trials["c0001"].status == QUEUED
    assert hidden.trials["c0001"].rungs == ()


def test_trials_file_has_one_record_a_trial(tmp_path: Path) -> None:
    known = history(tell(candidate(0), 5500.0, 5400.0), tell(candidate(1), status="queued"))
    known.write_trials(tmp_path / "trials.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "trials.jsonl").read_text().splitlines()]
    assert [row["id"] for row in rows] == ["c0000", "c0001"]
    assert rows[0]["curve"] == [5500.0, 5400.0]
    assert rows[0]["hash"] == candidate(0).hash
    assert list(tmp_path.iterdir()) == [tmp_path / "trials.jsonl"]
