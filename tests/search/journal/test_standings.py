"""Scores are compared where trainings are alike."""

from __future__ import annotations

from typing import Any

import pytest

from synthcity.search.candidates.candidate import Candidate
from synthcity.search.journal.history import TrialHistory
from synthcity.search.journal.standings import common, extent, whole_scores
from synthcity.search.proposers.stall import again
from tests.search.builders import candidate, history, tell


def name(index: int) -> str:
    return candidate(index).hash


def test_two_trials_are_compared_at_the_last_rung_that_both_have() -> None:
    known = history(
        tell(candidate(0), 5000.0, 4900.0, 4850.0, 4800.0), tell(candidate(1), 4950.0, status="stopped"),
        tell(candidate(2), 4990.0, 4910.0, 4910.0, 4810.0), tell(candidate(3), 4000.0, status="failed"),
    )  # fmt: skip
    whole, stopped, other, failed = known.records
    assert common(whole, stopped) == (5000.0, 4950.0, 1)
    assert common(stopped, whole) == (4950.0, 5000.0, 1)
    assert common(whole, other) == (4800.0, 4810.0, None)
    assert common(whole, failed) is None


def test_a_stopped_trial_counts_as_what_others_came_to_from_there() -> None:
    known = history(
        tell(candidate(0), 5000.0, 4900.0, 4850.0),
        tell(candidate(1), 5100.0, 5020.0, 5000.0),
        tell(candidate(2), 5040.0, status="stopped"),
        tell(candidate(3), 5200.0, 5150.0, status="stopped"),
    )
    scores = whole_scores(known.records)
    first, second = (-100.0 - 80.0 - 50.0) / 3, (-50.0 - 20.0) / 2
    assert scores[name(0)] == 4850.0
    assert scores[name(2)] == pytest.approx(5040.0 + first + second)
    assert scores[name(3)] == pytest.approx(5150.0 + second)
    assert [record.id for record in known.ranked] == ["c0000", "c0002", "c0001", "c0003"]
    assert [record.id for record in known.scored] == ["c0000", "c0001", "c0002", "c0003"]  # what they are


def test_a_network_of_several_seeds_stands_there_once_by_its_first_training() -> None:
    events: list[dict[str, Any]] = [*tell(candidate(0), 4900.0), *tell(candidate(1), 4905.0)]
    known = TrialHistory.replay(events)
    events += tell(again(known.trials["c0000"], known), 4700.0)  # the seed does that to all
    known = TrialHistory.replay(events)
    assert [record.id for record in known.ranked] == ["c0000", "c0001"]
    assert whole_scores(known.records)[name(0)] == 4900.0
    assert [record.id for record in known.first_trainings] == ["c0000", "c0001"]


def test_how_far_a_training_came_is_told_where_it_was_not_whole() -> None:
    known = history(
        tell(candidate(0), 1.0, 1.0, 1.0, 1.0), tell(candidate(1), 1.0, status="stopped"), tell(candidate(2), 1.0)
    )
    assert [extent(record) for record in known.records] == ["", "rung 1 of 4", ""]


def test_a_trial_that_repeats_another_says_so() -> None:
    known = history(tell(candidate(0), 4900.0))
    assert candidate(0, "tpe").origin == "tpe"
    assert again(known.trials["c0000"], known).origin == "c0000 again"
    assert Candidate.from_dict(again(known.trials["c0000"], known).to_dict()).origin == "c0000 again"
