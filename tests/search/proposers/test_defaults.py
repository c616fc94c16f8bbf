"""Hand-written candidates come first, once, in order."""

from __future__ import annotations

import numpy as np

from synthcity.search.journal.history import TrialHistory
from synthcity.search.proposers import DefaultsProposer
from tests.search.builders import candidate, config, history, tell


def test_defaults_come_once_in_order_and_go_on_where_they_were() -> None:
    proposer = DefaultsProposer([(f"n{i}", config(training={"learning_rate": 1e-3 * (i + 1)})) for i in range(3)])
    rng = np.random.default_rng(0)
    assert [p.rationale for p in proposer.propose(2, TrialHistory(), rng)] == ["hand-written: n0", "hand-written: n1"]
    rejected = {"kind": "rejected", "time": 0.0, "source": "defaults", "stage": "size", "reason": "", "config": {}}
    known = history(tell(candidate(0, "defaults"), 5500.0), [rejected], tell(candidate(1, "random"), 5500.0))
    assert [p.rationale for p in proposer.propose(2, known, rng)] == ["hand-written: n2"]
    done = history(*(tell(candidate(i, "defaults"), status="queued") for i in range(3)))
    assert proposer.propose(2, done, rng) == []


def test_what_a_model_wrote_comes_first_and_earlier_runs_last() -> None:
    rates = [config(training={"learning_rate": 1e-3 * n}) for n in (1, 2, 3)]
    proposer = DefaultsProposer([("ours", rates[0])], authored=[("theirs", rates[1])], earlier=[("monday", rates[2])])
    found = proposer.propose(9, TrialHistory(), np.random.default_rng(0))
    assert [p.config for p in found] == [rates[1], rates[0], rates[2]]
    assert [p.rationale for p in found] == [
        "written by a language model: theirs",
        "hand-written: ours",
        "among the best of the run monday",
    ]
