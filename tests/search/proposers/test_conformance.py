"""What every proposer must keep to: the contract in ``proposers/base.py``."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from synthcity.search.candidates.space import Space, canonical, config_hash
from synthcity.search.journal.history import History
from synthcity.search.proposers import PROPOSERS, DefaultsProposer, Proposer
from tests.search.builders import candidate, config, history, tell

SPACE = Space.from_registry()
LISTED = [(f"net{index}", config(training={"learning_rate": 5e-4 * (index + 1)})) for index in range(5)]
ALL = {"defaults": lambda space: DefaultsProposer(LISTED), **PROPOSERS}

HISTORIES = {
    "empty": History(),
    "queued": history(tell(candidate(0), status="queued")),
    "failed": history(tell(candidate(0), status="failed"), tell(candidate(1), status="failed")),
    "mixed": history(
        *(tell(candidate(index), 5500.0 - index, 5450.0 - index) for index in range(12)),
        tell(candidate(12), 5600.0, status="stopped"),
        tell(candidate(13), 5400.0, status="failed"),
        tell(candidate(14), 5400.0, status="running"),
        tell(candidate(15), status="queued"),
        [{"kind": "rejected", "time": 0.0, "source": "tpe", "stage": "size", "reason": "large", "config": {}}],
    ),
}


@pytest.fixture(params=sorted(ALL))
def proposer(request: pytest.FixtureRequest) -> Proposer:
    return ALL[request.param](SPACE)


@pytest.fixture(params=sorted(HISTORIES))
def known(request: pytest.FixtureRequest) -> History:
    return HISTORIES[request.param]


def test_proposes_valid_configs_up_to_the_count(proposer: Proposer, known: History) -> None:
    proposals = proposer.propose(3, known, np.random.default_rng(0))
    assert 1 <= len(proposals) <= 3
    assert len({config_hash(canonical(proposal.config)) for proposal in proposals}) == len(proposals)
    assert all(proposal.rationale for proposal in proposals)


def test_is_a_function_of_history_and_rng(proposer: Proposer, known: History) -> None:
    first = proposer.propose(2, known, np.random.default_rng(7))
    proposer.propose(1, HISTORIES["empty"], np.random.default_rng(1))  # must leave nothing behind
    assert proposer.propose(2, known, np.random.default_rng(7)) == first
    assert ALL[proposer.name](SPACE).propose(2, known, np.random.default_rng(7)) == first


def test_leaves_the_history_alone(proposer: Proposer, known: History) -> None:
    before = copy.deepcopy(known)
    proposer.propose(2, known, np.random.default_rng(0))
    assert known == before


def test_is_named_as_registered() -> None:
    assert all(make(SPACE).name == name for name, make in ALL.items())
