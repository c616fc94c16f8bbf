from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from synthcity.errors import ConfigError
from synthcity.nets.parameters import Parameter
from synthcity.search.candidates.space import Space, canonical, neighbour
from synthcity.search.journal.history import History
from synthcity.search.proposers import DefaultsProposer, RandomProposer, RefineProposer, TPEProposer, check_arms
from tests.search.builders import candidate, config, history, tell

SPACE = Space.from_registry()


def test_unknown_arm() -> None:
    with pytest.raises(ConfigError, match=r"search.arms: unknown proposer 'tpee'; did you mean 'tpe'"):
        check_arms(["random", "tpee"])


def test_defaults_come_once_in_order_and_go_on_where_they_were() -> None:
    proposer = DefaultsProposer([(f"n{i}", config(training={"learning_rate": 1e-3 * (i + 1)})) for i in range(3)])
    rng = np.random.default_rng(0)
    assert [p.rationale for p in proposer.propose(2, History(), rng)] == ["hand-written: n0", "hand-written: n1"]
    rejected = {"kind": "rejected", "time": 0.0, "source": "defaults", "stage": "size", "reason": "", "config": {}}
    known = history(tell(candidate(0, "defaults"), 5500.0), [rejected], tell(candidate(1, "random"), 5500.0))
    assert [p.rationale for p in proposer.propose(2, known, rng)] == ["hand-written: n2"]
    done = history(*(tell(candidate(i, "defaults"), status="queued") for i in range(3)))
    assert proposer.propose(2, done, rng) == []


def test_tpe_learns_where_the_good_ones_are() -> None:
    """After forty trials that favour one learning rate, TPE draws nearer to it than chance does."""
    rng = np.random.default_rng(3)
    target = np.log(4e-3)
    events = []
    for index in range(40):
        rate = float(np.exp(rng.uniform(np.log(2.5e-4), np.log(7.5e-3))))
        events.append(tell(candidate(index, rate=rate), 5000.0 + 100.0 * abs(np.log(rate) - target)))
    known = history(*events)

    def distance(proposer: RandomProposer | TPEProposer) -> float:
        rates = [
            proposer.propose(1, known, np.random.default_rng(seed))[0].config["training"]["learning_rate"]
            for seed in range(20)
        ]
        return float(np.median(np.abs(np.log(rates) - target)))

    assert distance(TPEProposer(SPACE)) < 0.7 * distance(RandomProposer(SPACE))


def test_tpe_stays_away_from_what_fails() -> None:
    events = []
    for index in range(40):
        head = ("gbm", "sde")[index % 2]
        one = candidate(index)
        chosen = canonical({**one.config, "head": {"name": head}})
        one = type(one)(index=index, source="random", config=chosen, hash=f"{index}")
        events.append(tell(one, 5000.0 + index, status="failed" if head == "sde" else "completed"))
    known = history(*events)
    heads = [
        TPEProposer(SPACE).propose(1, known, np.random.default_rng(seed))[0].config["head"]["name"]
        for seed in range(20)
    ]
    assert heads.count("sde") < 5


def test_tpe_is_told_why_a_trial_failed() -> None:
    diagnosis = {"fingerprint": "0", "cause": "nan", "action": "leave", "by": "catalogue", "reason": "", "usd": 0.0}
    events = [{"kind": "diagnosis", "time": 1.0, "id": "c0001", **diagnosis}]
    known = history(tell(candidate(0), 5000.0), tell(candidate(1), status="failed"), events)
    fine, failed = TPEProposer(SPACE)._study(known, 0).trials
    assert fine.user_attrs == {"source": "random"}
    assert failed.user_attrs == {
        "source": "random",
        "failure": "TrialFailed: the loss became nan",
        "cause": "nan",
    }
    assert failed.value == 5000.0


def test_tpe_is_told_of_candidates_outside_the_space_by_silence() -> None:
    narrow = Space.from_registry(max_blocks=1)
    wide = canonical({"blocks": [{"name": "lstm"}, {"name": "lstm"}]})
    outside = type(candidate(0))(index=0, source="defaults", config=wide, hash="x")
    known = history(tell(outside, 5000.0))
    assert len(TPEProposer(narrow).propose(1, known, np.random.default_rng(0))) == 1


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


@pytest.mark.parametrize("parameter", [p for table in SPACE.heads.values() for p in table] + list(SPACE.shared))
def test_a_neighbour_is_valid_and_near(parameter: Any) -> None:
    rng = np.random.default_rng(1)
    for _ in range(50):
        value = neighbour(parameter, parameter.default, rng)
        assert parameter.check(value, "x") == value
    if parameter.kind == "choice" and len(parameter.choices) > 1:
        at = parameter.choices.index(parameter.default)
        assert value != parameter.default
        assert isinstance(value, str) or abs(parameter.choices.index(value) - at) == 1


def test_choices_that_are_names_have_no_order() -> None:
    """A block may give way to any other, not just to its neighbours in the alphabet."""
    names, rng = tuple(SPACE.blocks), np.random.default_rng(2)
    block = Parameter(name="block0", kind="choice", default=names[0], choices=names)
    assert {neighbour(block, names[0], rng) for _ in range(300)} == set(names[1:])
