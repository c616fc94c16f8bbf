"""The door of proposers: which of them think on a thread of their own."""

from __future__ import annotations

import numpy as np
import pytest

from synthcity.search.arms import ArmState
from synthcity.search.candidates.candidate import Proposal
from synthcity.search.candidates.space import Space
from synthcity.search.journal.history import TrialHistory
from synthcity.search.proposers import DefaultsProposer, RandomProposer, RefineProposer, TPEProposer
from synthcity.search.proposers.base import BackgroundProposer
from synthcity.search.proposers.llm import LLMProposer

SPACE = Space.from_registry()


class Slow:
    name = "slow"
    standing = ArmState()

    def propose(self, count: int, history: TrialHistory, rng: np.random.Generator) -> list[Proposal]:
        return []

    def close(self) -> None: ...


@pytest.mark.parametrize(
    "proposer", [DefaultsProposer([]), RandomProposer(SPACE), RefineProposer(SPACE), TPEProposer(SPACE)]
)
def test_who_answers_at_once_is_closed_when_it_has_nothing_to_say(proposer: object) -> None:
    assert not isinstance(proposer, BackgroundProposer)


def test_who_has_a_standing_and_can_be_closed_is_waited_for() -> None:
    assert isinstance(Slow(), BackgroundProposer)
    assert all(hasattr(LLMProposer, word) for word in ("propose", "standing", "close"))
