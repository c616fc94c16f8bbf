"""Hand-written candidates: the first trials of a search, before any sampler speaks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from synthcity.search.arms import FIRST
from synthcity.search.candidates.candidate import Config, Proposal
from synthcity.search.journal.history import TrialHistory


class DefaultsProposer:
    """Proposes a fixed list of (name, config) once, in order; where it stands follows from the history.

    ``authored``: the first candidates of components that a language model wrote for this run, before all others;
    ``earlier``: the best of earlier runs with the name of the run, after them.
    """

    name = FIRST

    def __init__(
        self,
        candidates: Sequence[tuple[str, Config]],
        authored: Sequence[tuple[str, Config]] = (),
        earlier: Sequence[tuple[str, Config]] = (),
    ) -> None:
        self._proposals = [
            *(Proposal(config=config, rationale=f"written by a language model: {name}") for name, config in authored),
            *(Proposal(config=config, rationale=f"hand-written: {name}") for name, config in candidates),
            *(Proposal(config=config, rationale=f"among the best of the run {name}") for name, config in earlier),
        ]

    def propose(self, count: int, history: TrialHistory, rng: np.random.Generator) -> list[Proposal]:
        """Return the next ``count`` of the list, none once all were proposed."""
        first = history.proposals(self.name)
        return self._proposals[first : first + count]
