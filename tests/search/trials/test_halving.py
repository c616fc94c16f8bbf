from __future__ import annotations

import numpy as np
import pytest

from synthcity.search.config import milestones
from synthcity.search.proposers.stall import again
from synthcity.search.trials.halving import falls_behind, scores_at
from tests.search.builders import candidate, history, tell


@pytest.mark.parametrize(
    ("rungs", "reduction", "expected"),
    [(1, 3.0, []), (2, 3.0, [1]), (4, 3.0, [1, 3]), (10, 3.0, [1, 3, 9]), (8, 2.0, [1, 2, 4]), (5, 1.5, [1, 2, 3])],
)
def test_milestones_are_geometric_and_spare_the_last_rung(rungs: int, reduction: float, expected: list[int]) -> None:
    assert milestones(rungs, reduction) == expected


def test_only_the_best_third_goes_on() -> None:
    others = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]
    assert not falls_behind(2.9, others, 3.0)
    assert falls_behind(3.1, others, 3.0)


def test_the_first_trials_run_on_whatever_they_score() -> None:
    assert not falls_behind(99.0, [1.0, 2.0], 3.0)
    assert falls_behind(99.0, [1.0, 2.0, 3.0], 3.0)


def test_compares_at_the_same_rung_with_trials_of_any_fate() -> None:
    known = history(
        tell(candidate(0), 10.0, 9.0),
        tell(candidate(1), 11.0, status="stopped"),
        tell(candidate(2), 12.0, 8.0, status="running"),
    )
    assert scores_at(known, 1, without="c0002") == [10.0, 11.0]
    assert scores_at(known, 2, without="c0002") == [9.0]


@pytest.mark.parametrize("at_once", [1, 16, 64])
def test_however_many_train_at_once_the_best_goes_on_and_two_thirds_do_not(at_once: int) -> None:
    """Trials that train at once tell their first rung in waves, the fast ones of a wave first."""
    rng = np.random.default_rng(at_once)
    scores = rng.normal(size=512)
    speed = 0.5 * scores + rng.normal(size=512)  # large networks are slow and good
    waves = [np.arange(begin, min(begin + at_once, 512)) for begin in range(0, 512, at_once)]
    order = np.concatenate([wave[np.argsort(speed[wave])] for wave in waves])
    stopped = [falls_behind(scores[one], scores[order[:number]].tolist(), 3.0) for number, one in enumerate(order)]
    assert not stopped[int(np.flatnonzero(order == scores.argmin())[0])]
    assert 0.55 < np.mean(stopped) < 0.72


def test_a_leader_that_is_trained_again_counts_once() -> None:
    known = history(tell(candidate(0), 10.0, 9.0))
    known = history(tell(candidate(0), 10.0, 9.0), tell(again(known.trials["c0000"], known), 8.0, 7.0))
    assert scores_at(known, 1, without="c0009") == [10.0]
