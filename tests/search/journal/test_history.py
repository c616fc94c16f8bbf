from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from synthcity.errors import DataError
from synthcity.search.candidates.candidate import Candidate
from synthcity.search.journal.history import FAILED, QUEUED, RUNNING, Fold, TrialHistory
from synthcity.search.journal.progress import Progress
from synthcity.search.journal.standings import whole_scores
from synthcity.search.report.report import _trial_row
from tests.search.builders import candidate, config, history, tell


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
    record = TrialHistory.replay([*events, repeated]).trials["c0000"]
    assert [rung["score"] for rung in record.rungs] == [5500.0, 5410.0]


def test_replay_equals_living_through_it() -> None:
    events = [event for index in range(3) for event in tell(candidate(index), 5500.0 - index)]
    events.insert(
        4,
        {"kind": "rejected", "time": 1.0, "source": "tpe", "stage": "duplicate", "reason": "known", "config": {}},
    )
    live = TrialHistory()
    for event in events:
        live = live.after(json.loads(json.dumps(event)))
    assert live == TrialHistory.replay(events)
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


def test_a_rung_told_again_after_a_loss_replaces_its_first_telling_and_all_that_came_after() -> None:
    begun = tell(candidate(0), 110.0, 90.0, status="running")
    lost = {"kind": "worker_died", "time": 5.0, "id": "c0000"}
    known = TrialHistory.replay([*begun, lost, begun[2]])
    (record,) = known.records
    assert (record.curve, record.score) == ([110.0], 110.0)
    progress = Progress(known)  # the live view and the report read the same history
    assert progress.best_trial is record
    told = {"kind": "run_started", "time": 0.0, "workers": 1}
    page = _trial_row(progress, record, whole_scores([record]))
    assert (page["rung"], page["score"], [score for _, score in page["curve"]]) == (1, 110.0, [110.0])
    assert TrialHistory.replay([told, *begun, lost, begun[2]]).records == known.records


def test_a_curve_is_of_each_rungs_own_score_and_the_score_of_the_best() -> None:
    events = tell(candidate(0), 5500.0, 5400.0, 5400.0)
    for event, own in zip(events[2:5], (5500.0, 5400.0, 5450.0), strict=True):
        event["rung_score"] = own
    (record,) = history(events).records
    assert (record.curve, record.score) == ([5500.0, 5400.0, 5450.0], 5400.0)


def test_a_seed_that_was_not_trained_to_its_end_does_not_count_beside_one_that_was() -> None:
    whole = tell(candidate(0), 5500.0, 5300.0)
    again = Candidate(**{**vars(candidate(0)), "index": 1, "source": "rerun"})
    known = history(whole, tell(again, 5600.0, status="stopped"), tell(candidate(2), 5400.0))
    assert [record.id for record in known.scored] == ["c0000", "c0002"]


def test_a_trial_that_nobody_proposed_is_refused() -> None:
    with pytest.raises(DataError, match="a rung of c0007, which was never proposed"):
        TrialHistory.replay([{"kind": "rung", "time": 0.0, "id": "c0007", "rung": 1, "num_rungs": 1, "score": 1.0}])


def answered(source: str, *names: str) -> dict[str, Any]:
    proposals = [{"config": config(), "rationale": name} for name in names]
    return {"kind": "answered", "time": 0.0, "source": source, "proposals": proposals, "usd": 0.0, "error": ""}


def rejected(source: str) -> dict[str, Any]:
    told = {"source": source, "stage": "duplicate", "reason": "known", "config": {}}
    return {"kind": "rejected", "time": 0.0, **told}


@pytest.mark.parametrize(
    ("events", "waiting"),
    [
        ([answered("llm.refine", "a", "b")], ["a", "b"]),
        ([answered("llm.refine", "a", "b"), tell(candidate(0, "llm.refine"), status="queued")[0]], ["b"]),
        ([answered("llm.refine", "a", "b"), rejected("llm.refine")], ["b"]),
        ([answered("llm.refine", "a"), rejected("tpe"), *tell(candidate(0, "llm.structure"), 5000.0)], ["a"]),
        ([answered("llm.refine", "a"), rejected("llm.refine"), answered("llm.refine", "c")], ["c"]),
        ([answered("llm.refine", "a"), *tell(candidate(0, "rerun"), 5000.0)], ["a"]),
    ],
)
def test_what_waits_is_what_was_said_less_what_was_dealt_with(events: list[Any], waiting: list[str]) -> None:
    assert [proposal.rationale for proposal in TrialHistory.replay(events).waiting("llm.refine")] == waiting


def test_a_fold_tells_the_same_as_one_event_after_the_other_and_what_it_told_stays() -> None:
    events = [event for index in range(4) for event in tell(candidate(index), 5000.0 + index, 4990.0)]
    events += [{"kind": "stage", "time": 500.0, "name": "search", "message": "searching"}]
    fold, slow, early = Fold(), TrialHistory(), None
    for number, event in enumerate(events):
        fold.take(event)  # type: ignore[arg-type]
        slow = slow.after(event)  # type: ignore[arg-type]
        early = fold.history if number == 3 else early
    assert fold.history == slow
    assert early is not None
    assert early == TrialHistory.replay(events[:4])  # type: ignore[arg-type]
    assert fold.history is fold.history
