"""The Gaussian process finds what is good, in one space of all networks and their options."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from synthcity.search.candidates.candidate import Candidate, Config
from synthcity.search.candidates.space import Space, canonical, config_hash
from synthcity.search.gate import near
from synthcity.search.journal.history import TrialHistory
from synthcity.search.proposers import GPProposer
from synthcity.search.proposers.surrogates.gp import improvement, logarithms
from tests.search.builders import config, history, tell

SPACE = Space.from_registry(2)


def network(index: int, made: Config) -> Candidate:
    whole = canonical(made)
    return Candidate(index=index, source="random", config=whole, hash=config_hash(whole))


def made_up(count: int, *, running: int = 0) -> TrialHistory:
    """Networks that are the better the fewer blocks they have and the nearer their rate is to 0.004."""
    rng, told = np.random.default_rng(3), list[list[dict[str, Any]]]()
    for index in range(count + running):
        one = network(index, SPACE.sample(rng))
        score = 5000.0 + 40 * len(one.config["blocks"]) + 20 * off(one.config)
        told.append(tell(one, score) if index < count else tell(one, status="queued"))
    return history(*told)


def off(made: Config) -> float:
    return float(abs(np.log(made["training"]["learning_rate"]) - np.log(4e-3)))


def test_it_learns_where_the_good_ones_are() -> None:
    found = [p.config for p in GPProposer(SPACE).propose(3, made_up(30), np.random.default_rng(0))]
    assert [len(each["blocks"]) for each in found] == [0, 0, 0]
    assert all(off(each) < 0.7 for each in found)


def test_options_of_a_block_are_learned_too() -> None:
    """Of networks that differ by one option of their block alone."""
    told = [
        tell(
            network(index, config(blocks=[{"name": "tcn", "levels": 1 + index % 5}], d_model=16 * (1 + index % 3))),
            5000.0 + 10 * abs(index % 5 - 3),
        )
        for index in range(15)
    ]
    found = GPProposer(SPACE).propose(4, history(*told), np.random.default_rng(0))
    levels = [block["levels"] for each in found for block in each.config["blocks"] if block["name"] == "tcn"]
    assert levels
    assert set(levels) <= {3, 4, 5}


def test_what_was_proposed_together_or_runs_is_not_proposed_again() -> None:
    known = made_up(20, running=4)
    found = [p.config for p in GPProposer(SPACE).propose(5, known, np.random.default_rng(1))]
    begun = [record.candidate.config for record in known.records]
    assert len(found) == 5
    for at, one in enumerate(found):
        assert all(near(SPACE, one, other) is None for other in (*begun, *found[:at]))


def test_it_begins_at_random() -> None:
    for known in (TrialHistory(), made_up(9)):
        found = GPProposer(SPACE).propose(3, known, np.random.default_rng(0))
        assert len({config_hash(canonical(proposal.config)) for proposal in found}) == 3
        assert {proposal.rationale for proposal in found} == {"drawn at random: too little is known"}


def test_scores_that_are_all_equal_and_failures_are_learned_from() -> None:
    rng = np.random.default_rng(0)
    networks = [network(index, SPACE.sample(rng)) for index in range(14)]
    equal = history(*(tell(one, 5000.0) for one in networks))
    assert len(GPProposer(SPACE).propose(1, equal, rng)) == 1
    failed = history(*(tell(one, 5000.0, status="failed" if one.index % 2 else "completed") for one in networks))
    assert len(GPProposer(SPACE).propose(1, failed, rng)) == 1


@pytest.mark.parametrize("stage", ["too slow", "size", "limit", "dry run"])
def test_what_the_gate_found_too_much_is_not_proposed_again_nor_its_like(stage: str) -> None:
    known, proposer = made_up(20), GPProposer(SPACE)
    refused: list[Config] = []
    for _ in range(4):  # the same draws each time: only what is told differs
        (found,) = proposer.propose(1, known, np.random.default_rng(0))
        assert all(near(SPACE, found.config, one) is None for one in refused)
        refused.append(canonical(found.config))
        rejected = {"kind": "rejected", "source": "gp", "stage": stage, "reason": "too much", "time": 1.0}
        known = known.after({**rejected, "config": refused[-1]})


def test_what_the_gate_knew_already_teaches_nothing() -> None:
    known, proposer = made_up(20), GPProposer(SPACE)
    first = proposer.propose(1, known, np.random.default_rng(0))
    rejected = {"kind": "rejected", "source": "gp", "stage": "duplicate", "reason": "known", "time": 1.0}
    known = known.after({**rejected, "config": known.records[0].candidate.config})
    assert proposer.propose(1, known, np.random.default_rng(0)) == first


def test_a_network_outside_the_space_is_left_out() -> None:
    outside = tell(network(40, config(blocks=[{"name": "lstm"}] * 3)), 1.0)
    events = [event for record in [outside] for event in record]
    known = made_up(20)
    with_it = known
    for event in events:
        with_it = with_it.after(event)
    proposer = GPProposer(SPACE)
    assert proposer._told(with_it) == proposer._told(known)


def test_logarithms_spread_the_best_and_press_the_worst_together() -> None:
    found = logarithms(np.array([10.0, 11.0, 12.0, 13.0, 1e6]))
    assert found.mean() == pytest.approx(0.0)
    assert found.std() == pytest.approx(1.0)
    assert found[1] - found[0] > 2 * (found[3] - found[2])
    assert found[4] - found[3] < 6 * (found[1] - found[0])  # in scores it is a million times as far
    assert logarithms(np.full(3, 7.0)).tolist() == [0.0, 0.0, 0.0]
    assert np.isfinite(logarithms(np.array([1.0, 1.0, 1.0, 2.0]))).all()


def test_improvement_is_that_of_a_normal_value() -> None:
    draws = np.random.default_rng(0).normal(0.3, 0.7, 200_000)
    expected = np.maximum(0.1 - draws, 0.0).mean()
    assert improvement(0.1, np.array([0.3]), np.array([0.7]))[0] == pytest.approx(expected, abs=0.003)
