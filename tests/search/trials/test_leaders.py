"""Leaders are trained again before they are believed, within a quarter of the trials."""

from __future__ import annotations

from typing import Any

from synthcity.search.arms import RERUN
from synthcity.search.journal.history import TrialHistory
from synthcity.search.proposers.stall import again
from synthcity.search.trials.leaders import doubted
from tests.search.builders import candidate, tell

Events = list[dict[str, Any]]


def flat(count: int) -> Events:
    return [event for index in range(count) for event in tell(candidate(index), 5000.0 + 10 * index)]


def rerun(events: Events, score: float) -> Events:
    """Train again whoever is doubted."""
    history = TrialHistory.replay(events)
    record = doubted(history)
    assert record is not None
    return [*events, *tell(again(record, history), score)]


def test_nobody_leads_before_ten_trials() -> None:
    assert doubted(TrialHistory.replay(flat(9))) is None


def test_the_three_best_get_seeds_in_turn_and_no_more_than_a_quarter_of_the_trials() -> None:
    events = flat(12)
    order = []
    while (record := doubted(TrialHistory.replay(events))) is not None:
        order.append(record.candidate.hash)
        events = rerun(events, 5000.0)
    known = [candidate(index).hash for index in range(3)]
    assert order == known, "12 trials and 3 of them again"
    made = [r for r in TrialHistory.replay(events).records if r.candidate.source == RERUN]
    assert len(made) == 3


def test_a_leader_whose_luck_was_its_seed_gives_way() -> None:
    events = flat(20)
    for score in (5200.0, 5010.0, 5020.0):
        events = rerun(events, score)
    history = TrialHistory.replay(events)
    assert history.scored[0].id == "c0001"
    assert "c0000" not in [record.id for record in history.scored[:3]]


def test_the_best_of_what_the_search_began_with_is_trained_again_too() -> None:
    events = [event for index in range(20) for event in tell(candidate(index, "tpe"), 5000.0 + 10 * index)]
    began = tell(candidate(20, "defaults"), 5900.0)
    for _ in range(3):
        events = rerun([*events, *began], 5000.0)
        began = []
    wanted = doubted(TrialHistory.replay(events))
    assert wanted is not None
    assert wanted.id == "c0020"


def test_one_that_is_being_trained_again_waits_for_its_end() -> None:
    history = TrialHistory.replay(flat(20))
    first = doubted(history)
    assert first is not None
    open_ = TrialHistory.replay([*flat(20), *tell(again(first, history), status="queued")])
    second = doubted(open_)
    assert second is not None
    assert second.id == "c0001"
