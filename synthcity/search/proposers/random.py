"""Random search: the floor that every other proposer has to beat."""

from __future__ import annotations

import numpy as np

from synthcity.search.candidates.candidate import Proposal
from synthcity.search.candidates.space import Space
from synthcity.search.journal.history import TrialHistory


class RandomProposer:
    """Draws each active parameter independently and uniformly on its own scale."""

    name = "random"

    def __init__(self, space: Space) -> None:
        self._space = space

    def propose(self, count: int, history: TrialHistory, rng: np.random.Generator) -> list[Proposal]:
        """Draw ``count`` configs; the history is not looked at."""
        return [Proposal(config=self._space.sample(rng), rationale="drawn at random") for _ in range(count)]
