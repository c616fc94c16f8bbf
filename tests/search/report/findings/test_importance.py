"""Which choices moved the score."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from synthcity.search.arms import RERUN
from synthcity.search.candidates.space import Space
from synthcity.search.journal.history import TrialHistory
from synthcity.search.journal.record import TrialRecord
from synthcity.search.report.findings.importance import importance_rows
from tests.search.builders import candidate, tell


def records(count: int) -> list[TrialRecord]:
    """Trials whose score is their width's alone."""
    space, rng, found = Space.from_registry(1), np.random.default_rng(0), list[TrialRecord]()
    for at in range(count):
        config: dict[str, Any] = {**space.sample(rng)}
        score = 5000.0 + float(config["d_model"])
        (record,) = TrialHistory.replay(tell(candidate(at), score)).records
        found.append(replace(record, candidate=replace(record.candidate, config=config)))
    return found


def test_what_decides_the_score_comes_first() -> None:
    rows = importance_rows(records(40), 1)
    assert rows[0]["name"] == "d_model"
    assert rows[0]["importance"] > 0.3
    assert [row["importance"] for row in rows] == sorted((row["importance"] for row in rows), reverse=True)


def test_few_trials_say_nothing() -> None:
    assert importance_rows(records(11), 1) == []
    assert importance_rows([], 1) == []


def test_a_network_that_is_trained_again_counts_once() -> None:
    found = records(14)
    best = min(found, key=lambda record: record.score or 0.0)
    again = [replace(best, candidate=replace(best.candidate, index=20 + at, source=RERUN)) for at in range(6)]
    assert importance_rows([*found, *again], 1) == importance_rows(found, 1) != []
    assert importance_rows([*found[:11], *again], 1) == []
