"""Local search crosses two of the best and moves little."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from synthcity.search.candidates.space import Space, canonical
from synthcity.search.journal.history import TrialHistory
from synthcity.search.proposers import RefineProposer
from tests.search.builders import candidate, history, tell

SPACE = Space.from_registry()


def test_refine_crosses_two_of_the_best_five_and_moves_little() -> None:
    rng = np.random.default_rng(4)
    block, options = {"blocks": [{"name": "lstm"}], "head": {"name": "gbm"}}, Space.from_registry(max_blocks=0)
    told = [replace(candidate(i), config=canonical({**options.sample(rng), **block})) for i in range(12)]
    known = history(*(tell(candidate, 5500.0 - index) for index, candidate in enumerate(told)))
    flats = [SPACE.flatten(candidate.config) for candidate in told[7:]]
    proposals = RefineProposer(SPACE).propose(20, known, rng)
    moved = 0
    for proposal in proposals:
        first, second = (int(name[1:]) for name in re.findall("c[0-9]{4}", proposal.rationale))
        assert proposal.parent == f"c{first:04d}"
        assert {first, second} <= {7, 8, 9, 10, 11}
        child = SPACE.flatten(proposal.config)
        assert child not in flats
        new = [n for n in child if "." not in n and child[n] not in (flats[first - 7].get(n), flats[second - 7].get(n))]
        assert len(new) <= 1
        moved += ", " in proposal.rationale
    assert 4 < moved < 16
    assert len({str(proposal.config) for proposal in proposals}) == 20


def test_a_child_has_the_values_of_both_parents() -> None:
    """A block or head that one parent alone has brings its parameters with it."""
    one = canonical({"blocks": [{"name": "lstm", "dropout": 0.1}], "head": {"name": "sde"}, "d_model": 64})
    other = canonical({"blocks": [{"name": "tcn", "dropout": 0.2}], "head": {"name": "sde"}, "d_model": 16})
    told = [replace(candidate(i), config=config) for i, config in enumerate((one, other))]
    known = history(*(tell(candidate, 5000.0) for candidate in told))
    children = [
        proposal.config
        for proposal in RefineProposer(SPACE).propose(40, known, np.random.default_rng(1))
        if ", " not in proposal.rationale
    ]
    pairs = {(child["blocks"][0]["name"], child["blocks"][0]["dropout"], child["d_model"]) for child in children}
    assert pairs == {("lstm", 0.1, 16), ("tcn", 0.2, 64)}  # the other two are the parents


def test_a_lone_parent_has_a_value_moved() -> None:
    outside = replace(candidate(0), config=canonical({"blocks": [{"name": "lstm"}] * 2}))
    known = history(tell(outside, 4000.0), tell(candidate(1), 5000.0))
    for proposal in RefineProposer(Space.from_registry(max_blocks=1)).propose(5, known, np.random.default_rng(2)):
        assert proposal.rationale.startswith("c0001, ")
        assert canonical(proposal.config) != known.trials["c0001"].candidate.config


def test_without_a_score_it_draws_at_random_and_says_so() -> None:
    known = history(tell(candidate(0), status="failed"), tell(candidate(1), status="queued"))
    found = RefineProposer(SPACE).propose(3, known, np.random.default_rng(0))
    assert {p.rationale for p in found} == {"drawn at random: nothing to refine yet"}
    assert all(p.parent is None for p in found)
    assert RefineProposer(SPACE).propose(0, TrialHistory(), np.random.default_rng(0)) == []


def test_what_is_only_settable_comes_from_a_parent_and_is_not_moved() -> None:
    told = [replace(candidate(i), config=canonical({"training": {"tilt": tilt}})) for i, tilt in enumerate((0.5, 0.0))]
    known = history(*(tell(candidate, 5000.0) for candidate in told))
    found = RefineProposer(SPACE).propose(40, known, np.random.default_rng(3))
    assert {proposal.config["training"].get("tilt", 0.0) for proposal in found} == {0.0, 0.5}
    assert not any("tilt" in proposal.rationale for proposal in found)
