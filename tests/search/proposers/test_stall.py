from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from synthcity.search.candidates.candidate import Candidate
from synthcity.search.journal.history import TrialHistory
from synthcity.search.proposers.stall import HANDED_OVER, StallState, again, standing
from tests.search.builders import candidate, history, tell

TRIALS = 40  # a window of ten, four fresh seeds
Events = list[dict[str, Any]]


def told(*scores: float) -> Events:
    return [event for index, score in enumerate(scores) for event in tell(candidate(index), score)]


def flat(count: int, first: float = 5000.0) -> Events:
    """One gain, then none."""
    return told(first, *(first + 1 + index for index in range(count)))


def rerun(events: Events, of: str, *scores: float) -> Events:
    """Add fresh seeds of a trial."""
    known = TrialHistory.replay(events)
    for score in scores:
        made = again(known.trials[of], known)
        events = [*events, *tell(made, score)]
        known = TrialHistory.replay(events)
    return events


def judge(events: Events, trials: int = TRIALS) -> StallState:
    return standing(TrialHistory.replay(events), trials)


def test_a_young_search_does_not_stall() -> None:
    assert standing(TrialHistory(), TRIALS) == StallState(level=0, since=0)
    assert judge(flat(8)) == StallState(level=0, since=8)


def test_the_incumbent_is_trained_twice_more_before_anything_is_believed() -> None:
    events = flat(9)
    for fresh in (5010.0, 5020.0):
        found = judge(events)
        assert found.noise is None
        assert found.rerun is not None
        assert found.rerun.candidate.id == "c0000"
        made = again(found.rerun, TrialHistory.replay(events))
        assert (made.source, made.parent, made.config) == ("rerun", "c0000", found.rerun.candidate.config)
        assert judge([*events, *tell(made, status="queued")]).rerun is None  # one at a time
        events = rerun(events, "c0000", fresh)
    found = judge(events)
    assert found.noise == pytest.approx(np.std([5000.0, 5010.0, 5020.0], ddof=1))
    assert found.rerun is None


def test_a_lead_within_the_noise_is_no_gain() -> None:
    events = rerun(flat(12), "c0000", 5010.0, 5020.0)
    inside = [*events, *tell(candidate(20), 5001.0)]
    assert judge(inside) == StallState(level=1, since=13, noise=pytest.approx(10.0))


def test_a_gain_is_believed_only_on_fresh_seeds() -> None:
    events = rerun(flat(12), "c0000", 5010.0, 5020.0)
    claimed = [*events, *tell(candidate(20), 4980.0)]
    found = judge(claimed)
    assert found.level == 1
    assert found.rerun is not None
    assert found.rerun.candidate.id == "c0020"
    lucky = rerun(claimed, "c0020", 5012.0, 5013.0)
    assert judge(lucky).since == 13
    assert judge(lucky).rerun is None
    real = rerun(claimed, "c0020", 4981.0, 4979.0)
    assert (judge(real).level, judge(real).since) == (0, 0)


def test_a_gain_is_not_believed_while_its_seeds_are_in_training() -> None:
    events = rerun(flat(12), "c0000", 5010.0, 5020.0)
    claimed = [*events, *tell(candidate(20), 4980.0)]
    made = again(TrialHistory.replay(claimed).trials["c0020"], TrialHistory.replay(claimed))
    found = judge([*claimed, *tell(made, status="queued")])
    assert (found.level, found.since, found.rerun) == (1, 13, None)


def test_fresh_seeds_take_at_most_a_tenth_of_the_trials() -> None:
    events = rerun(flat(12), "c0000", 5010.0, 5020.0)
    for number, score in enumerate((4900.0, 4800.0, 4700.0), start=30):
        events = [*events, *tell(candidate(number), score)]
        while (found := judge(events)).rerun is not None:
            events = rerun(events, found.rerun.candidate.id, score + 1)
    assert sum(record.candidate.source == "rerun" for record in TrialHistory.replay(events).records) == 4
    assert judge(events).since == 0  # what cannot be checked any more is believed


def test_a_stall_is_met_in_steps_and_begins_again() -> None:
    levels = [judge(flat(count)).level for count in range(0, 75)]
    steps = [levels[0]] + [b for a, b in itertools.pairwise(levels) if a != b]
    assert steps == [0, 1, 2, 3, HANDED_OVER, 1, 2]
    assert levels.count(HANDED_OVER) == 20
    assert levels.index(1) == 10
    assert [judge(flat(count), trials=200).level for count in (29, 30)] == [0, 1]


def test_failures_count_towards_a_stall() -> None:
    failed = [event for index in range(1, 12) for event in tell(candidate(index), status="failed")]
    assert judge([*told(5000.0), *failed]).level == 1


def test_a_network_with_several_seeds_ranks_once_by_their_mean_without_what_a_seed_does_to_all() -> None:
    events = rerun(told(5000.0, 5005.0, 5004.0), "c0000", 5030.0)
    scored = TrialHistory.replay(events).scored
    assert [record.candidate.id for record in scored] == ["c0000", "c0002", "c0001"], "one alone tells its seed's luck"
    assert scored[0].score == 5000.0
    scored = TrialHistory.replay(rerun(events, "c0001", 5005.0)).scored
    assert [record.candidate.id for record in scored] == ["c0001", "c0002", "c0000"], "now it was worse on the second"


def test_a_fresh_seed_of_a_network_is_told_of_its_first_training() -> None:
    """Its best seed may be one that was trained again itself."""
    known = TrialHistory.replay(rerun(told(5000.0), "c0000", 4990.0))
    assert known.scored[0].candidate.id == "c0001"
    made = again(known.scored[0], known)
    assert (made.parent, made.rationale) == ("c0000", "c0000 on a fresh seed")


def test_a_candidate_for_a_fresh_seed_survives_the_journal() -> None:
    known = history(tell(candidate(0), 5000.0))
    made = again(known.trials["c0000"], known)
    assert made.id == "c0001"
    assert Candidate.from_dict(made.to_dict()) == made
