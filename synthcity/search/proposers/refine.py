"""Local search: crosses two of the best and moves a value of the child, the control for every cleverer proposer."""

from __future__ import annotations

import numpy as np

from synthcity.nets.parameters import Parameter
from synthcity.search.candidates.candidate import Candidate, Config, Proposal
from synthcity.search.candidates.space import Flat, Space, Value, draw, neighbour, to_config
from synthcity.search.journal.history import TrialHistory

_PARENTS = 5
_TRIES = 20


class RefineProposer:
    """A steady-state genetic algorithm without a population: its parents are the five best candidates of all arms,
    those that were stopped where they would stand, trained to their end.

    Each value of a child comes from either parent, where both have one (uniform crossover, Syswerda, 1989). Half of the
    children have one value moved besides, to a neighbouring one or to any, alike; the number of blocks by one. A block
    or head of which no parent knows the parameters brings its own defaults. A lone parent only has values moved; while
    nothing has a score, it draws at random. What is only settable comes from a parent and is not moved.
    """

    name = "refine"

    def __init__(self, space: Space) -> None:
        self._space = space

    def propose(self, count: int, history: TrialHistory, rng: np.random.Generator) -> list[Proposal]:
        """Return up to ``count`` different refinements, none like a parent."""
        parents = self._parents(history)
        seen: list[Config] = [to_config(flat) for _, flat in parents]
        proposals: list[Proposal] = []
        for _ in range(_TRIES * count):
            if len(proposals) == count:
                break
            proposal = self._child(parents, rng)
            if proposal.config not in seen:
                seen.append(proposal.config)
                proposals.append(proposal)
        return proposals

    def _parents(self, history: TrialHistory) -> list[tuple[Candidate, Flat]]:
        """Return the best that lie in the sampled space; a hand-written candidate may lie outside."""
        found: list[tuple[Candidate, Flat]] = []
        for record in history.ranked:
            try:
                found.append((record.candidate, self._space.flatten(record.candidate.config)))
            except ValueError:
                continue
            if len(found) == _PARENTS:
                break
        return found

    def _child(self, parents: list[tuple[Candidate, Flat]], rng: np.random.Generator) -> Proposal:
        if not parents:
            return Proposal(config=self._space.sample(rng), rationale="drawn at random: nothing to refine yet")
        order = rng.permutation(len(parents))[:2]
        (first, one), (second, other) = parents[order[0]], parents[order[-1]]
        child, moved = cross(self._space, one, other, rng)
        rationale = first.id if first is second else f"{first.id} crossed with {second.id}"
        return Proposal(config=to_config(child), rationale=rationale + moved, parent=first.id)


def cross(space: Space, one: Flat, other: Flat, rng: np.random.Generator) -> tuple[Flat, str]:
    """Return a child of two networks, which may be the same, and what was moved besides, as in ", d_model 32 to 48"."""
    movable: list[str] = []

    def inherit(parameter: Parameter) -> Value:
        name = parameter.name
        if parameter.is_free:
            movable.append(name)
        known = [flat[name] for flat in (one, other) if name in flat]
        if known:
            return known[int(rng.integers(len(known)))]
        added_block = "." not in name
        return draw(parameter, rng) if added_block else parameter.default

    def move(parameter: Parameter) -> Value:
        value = child[parameter.name] if parameter.name in child else inherit(parameter)
        if parameter.name != moved:
            return value
        near = parameter.name == "num_blocks" or rng.random() < 0.5
        drawn = value if near else draw(parameter, rng)
        return drawn if drawn != value else neighbour(parameter, value, rng)

    child = space.walk(inherit)
    kept = {
        p.name: (one, other)[int(rng.integers(2))].get(p.name, p.default)
        for p in space.settable
        if p.name in one or p.name in other
    }
    if rng.random() >= 0.5:
        return child | kept, ""
    moved = movable[int(rng.integers(len(movable)))]
    before, child = child, space.walk(move)
    return child | kept, f", {moved} {before[moved]} to {child[moved]}"
