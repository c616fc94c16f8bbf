"""Local search: one or two changes to one of the best, the control that every cleverer proposer has to beat."""

from __future__ import annotations

from typing import Any

import numpy as np

from synthcity.nets.parameters import Parameter
from synthcity.search.candidate import Candidate, Proposal
from synthcity.search.history import History
from synthcity.search.space import Space, draw, neighbour, to_config

_PARENTS = 3
_TRIES = 20


class RefineProposer:
    """Takes one of the three best candidates and moves one or two of its active parameters to a neighbouring value.

    A changed block or head brings its own parameters at their defaults. While nothing has a score it draws at random.
    """

    name = "refine"

    def __init__(self, space: Space) -> None:
        self._space = space

    def propose(self, count: int, history: History, rng: np.random.Generator) -> list[Proposal]:
        """Return up to ``count`` different refinements."""
        parents = [record.candidate for record in history.scored[:_PARENTS]]
        proposals: list[Proposal] = []
        for _ in range(_TRIES * count):
            if len(proposals) == count:
                break
            proposal = self._refine(parents, rng)
            if all(proposal.config != other.config for other in proposals):
                proposals.append(proposal)
        return proposals

    def _refine(self, parents: list[Candidate], rng: np.random.Generator) -> Proposal:
        if not parents:
            return Proposal(config=self._space.sample(rng), rationale="drawn at random: nothing to refine yet")
        parent = parents[int(rng.integers(len(parents)))]
        try:
            old = self._space.flatten(parent.config)
        except ValueError:  # a hand-written candidate may lie outside the sampled space
            return Proposal(config=self._space.sample(rng), rationale=f"drawn at random: {parent.id} cannot be varied")
        names = sorted(old)
        changed = {names[i] for i in rng.choice(len(names), size=int(rng.integers(1, 3)), replace=False)}

        def pick(parameter: Parameter) -> Any:
            if parameter.name in changed:
                return neighbour(parameter, old[parameter.name], rng)
            if parameter.name in old:
                return old[parameter.name]
            added_block = "." not in parameter.name
            return draw(parameter, rng) if added_block else parameter.default

        new = self._space.walk(pick)
        moves = ", ".join(f"{name} {old[name]} to {new[name]}" for name in sorted(changed) if name in new)
        return Proposal(config=to_config(new), rationale=f"{parent.id} with {moves}", parent=parent.id)
