"""A model of the scores is told each network once, and not too many of them."""

from __future__ import annotations

import pytest

from synthcity.search.proposers.surrogates.told import told, worth_telling
from tests.search.builders import candidate, history, tell


def test_of_a_long_search_it_is_told_the_best_the_newest_and_what_runs() -> None:
    trials = [tell(candidate(index, rate=1e-3 + 1e-5 * index), 9000.0 - index) for index in range(500)]
    trials[3] = tell(candidate(3, rate=1.03e-3), 5000.0)
    trials[7] = tell(candidate(7, rate=1.07e-3), 5500.0, status="running")
    told = [record.candidate.index for record in worth_telling(history(*trials), 400)]
    assert told == [3, 7, *range(125, 500)]
    assert len(worth_telling(history(*trials[:300]), 400)) == 300


def test_a_failure_has_a_score_and_what_runs_has_none() -> None:
    scores = [5000.0 + 10 * n for n in range(11)]
    trials = [tell(candidate(n), score) for n, score in enumerate(scores)]
    trials += [tell(candidate(11), status="failed"), tell(candidate(12), 4000.0, status="running")]
    found = {record.candidate.index: score for record, score in told(history(*trials), 400)}
    assert found[11] == pytest.approx(5090.0)
    assert found[12] is None
    assert [found[n] for n in range(11)] == scores
