"""Hand-written candidates: the first trials of a search, before any sampler speaks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from synthcity.search.candidate import Config, Proposal
from synthcity.search.history import History


class DefaultsProposer:
    """Proposes a fixed list of (name, config) once, in order; where it stands follows from the history."""

    name = "defaults"

    def __init__(self, candidates: Sequence[tuple[str, Config]]) -> None:
        self._candidates = list(candidates)

    def propose(self, count: int, history: History, rng: np.random.Generator) -> list[Proposal]:
        """Return the next ``count`` of the list, none once all were proposed."""
        first = history.proposals(self.name)
        return [
            Proposal(config=config, rationale=f"hand-written: {name}")
            for name, config in self._candidates[first : first + count]
        ]
