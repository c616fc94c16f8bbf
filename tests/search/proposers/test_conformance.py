"""Every proposer keeps the contract, and the suite finds who does not."""

from __future__ import annotations

import numpy as np
import pytest

from synthcity import plugins
from synthcity.conformance import broken
from synthcity.search.candidates.candidate import Proposal
from synthcity.search.candidates.space import Space
from synthcity.search.journal.history import TrialHistory
from synthcity.search.proposers import PROPOSERS, DefaultsProposer, RandomProposer, make_arms
from synthcity.search.proposers.conformance import CHECKS
from tests.search.builders import config

LISTED = [(f"net{index}", config(training={"learning_rate": 5e-4 * (index + 1)})) for index in range(5)]
NAMES = plugins.merged("proposers", PROPOSERS)  # those of other distributions, too, where some are installed
ALL = {
    "defaults": lambda space: DefaultsProposer(LISTED),
    **{name: lambda space, name=name: make_arms([name], space)[name] for name in NAMES},
}


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("name", sorted(ALL))
def test_every_proposer_keeps_the_contract(name: str, check: str) -> None:
    CHECKS[check](ALL[name])


def test_is_named_as_registered() -> None:
    assert all(make(Space.from_registry()).name == name for name, make in ALL.items())


class Forgetful(RandomProposer):
    """Draws from chance of its own, and one network too many."""

    def propose(self, count: int, history: TrialHistory, rng: np.random.Generator) -> list[Proposal]:
        return super().propose(count + 1, history, np.random.default_rng())


class Twice(RandomProposer):
    """Says the same twice, and writes into what it was given."""

    def propose(self, count: int, history: TrialHistory, rng: np.random.Generator) -> list[Proposal]:
        history.trials.clear()  # type: ignore[attr-defined]
        return [*super().propose(1, history, rng)] * count


def test_who_breaks_it_is_found() -> None:
    assert set(broken(CHECKS, Forgetful)) == {
        "proposals_are_valid_and_up_to_the_count",
        "proposals_follow_from_history_and_rng",
    }
    found = broken(CHECKS, Twice)
    assert "proposes a network twice" in found["proposals_are_valid_and_up_to_the_count"]
    assert "the_history_stays_as_it_is" in found
