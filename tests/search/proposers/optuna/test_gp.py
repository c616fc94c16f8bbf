"""The Gaussian process learns over one space of all networks, where a place may hold no block."""

from __future__ import annotations

from typing import Any

import numpy as np

from synthcity.search.candidates.candidate import Candidate, Config
from synthcity.search.candidates.space import Space, canonical, config_hash
from synthcity.search.journal.history import TrialHistory
from synthcity.search.proposers import GPProposer
from synthcity.search.proposers.optuna.gp import _joint
from tests.search.builders import config, history, tell

SPACE = Space.from_registry(2)


def network(index: int, made: Config) -> Candidate:
    whole = canonical(made)
    return Candidate(index=index, source="random", config=whole, hash=config_hash(whole))


def test_it_learns_where_the_good_ones_are() -> None:
    """Of networks that are the better the fewer blocks they have and the nearer their rate is to one."""
    rng, told, target = np.random.default_rng(3), list[list[dict[str, Any]]](), np.log(4e-3)
    for index in range(24):
        one = network(index, SPACE.sample(rng))
        off = abs(np.log(one.config["training"]["learning_rate"]) - target)
        told.append(tell(one, 5000.0 + 40 * len(one.config["blocks"]) + 20 * off))
    found = [p.config for p in GPProposer(SPACE).propose(2, history(*told), np.random.default_rng(0))]
    assert [len(each["blocks"]) for each in found] == [0, 0]
    assert all(abs(np.log(each["training"]["learning_rate"]) - target) < 0.7 for each in found)


def test_a_block_has_the_options_of_the_best_network_that_has_it() -> None:
    told = [
        tell(network(0, {"blocks": [{"name": "tcn", "levels": 2}], "head": {"name": "gbm", "hidden": 8}}), 5000.0),
        tell(network(1, {"blocks": [{"name": "lstm"}, {"name": "tcn", "levels": 4}], "head": {"name": "sde"}}), 4900.0),
    ]
    known = history(*told)
    proposer = GPProposer(SPACE)
    best = proposer._options(known)
    params = {**_point(config()), "block0": "no block", "block1": "tcn", "head": "gbm"}
    flat = proposer._whole(params, best)
    assert (flat["num_blocks"], flat["block0"], flat["block0.tcn.levels"], flat["head.gbm.hidden"]) == (1, "tcn", 4, 8)
    unknown = proposer._whole({**params, "block1": "wavenet"}, best)
    assert unknown["block0.wavenet.layers"] == next(p.default for p in SPACE.blocks["wavenet"] if p.name == "layers")


def test_what_is_as_good_as_known_has_one_value_moved() -> None:
    proposer, made = GPProposer(SPACE), config()
    flat = SPACE.flatten(made)
    assert proposer._new(flat, [], np.random.default_rng(0)) == flat
    moved = proposer._new(flat, [made], np.random.default_rng(0))
    assert sum(flat[name] != moved[name] for name in flat) == 1
    assert all(moved[name] == flat[name] for name in ("num_blocks", "block0", "head"))


def test_every_network_is_told_in_the_same_space_and_one_outside_it_by_silence() -> None:
    proposer, joint = GPProposer(SPACE), _joint(SPACE)
    for made in (config(blocks=[]), config(), config(blocks=[{"name": "tcn"}] * 2, d_model=64)):
        flat, distributions = proposer._parameters(made) or ({}, {})
        assert flat.keys() == distributions.keys() == joint.keys()
        assert all(each._contains(each.to_internal_repr(flat[name])) for name, each in distributions.items())
    assert proposer._parameters(config(blocks=[{"name": "tcn"}] * 3)) is None
    assert proposer._parameters(config(d_model=64))[0]["d_model"] == 3  # type: ignore[index]


def test_it_begins_at_random() -> None:
    found = GPProposer(SPACE).propose(3, TrialHistory(), np.random.default_rng(0))
    assert len({config_hash(canonical(proposal.config)) for proposal in found}) == 3


def _point(made: Config) -> dict[str, Any]:
    found = GPProposer(SPACE)._parameters(made)
    assert found is not None
    return found[0]
