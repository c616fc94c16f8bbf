from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthcity.errors import ConfigError
from synthcity.nets.config import RECIPE, NetConfig
from synthcity.nets.parameters import Parameter
from synthcity.search.candidates.space import Space, canonical, config_hash, neighbour, to_config
from tests.search.builders import config

SPACE = Space.from_registry()
seeds = st.integers(0, 2**32 - 1)


@given(seeds)
@settings(max_examples=60, deadline=None)
def test_every_sample_is_valid_and_survives_flattening(seed: int) -> None:
    drawn = SPACE.sample(np.random.default_rng(seed))
    assert NetConfig.from_dict(drawn).to_dict() == drawn
    assert to_config(SPACE.flatten(drawn)) == drawn


@given(seeds)
@settings(max_examples=40, deadline=None)
def test_canonical_form_is_a_fixed_point(seed: int) -> None:
    once = canonical(SPACE.sample(np.random.default_rng(seed)))
    assert canonical(once) == once
    assert list(once) == sorted(once)


@given(seeds, seeds)
@settings(max_examples=40, deadline=None)
def test_distance_is_a_bounded_symmetric_difference(first: int, second: int) -> None:
    a, b = (SPACE.sample(np.random.default_rng(seed)) for seed in (first, second))
    distance = SPACE.distance(a, b)
    assert 0 <= distance <= 1
    assert distance == pytest.approx(SPACE.distance(b, a))
    assert SPACE.distance(a, a) == 0
    assert (distance == 0) == (a == b)


def test_configs_that_mean_the_same_have_one_hash() -> None:
    short = {"head": {"name": "gbm"}}
    assert config_hash(canonical(short)) == config_hash(canonical(NetConfig.from_dict(short).to_dict()))
    nearly = config(training={"learning_rate": 0.00200001})
    assert config_hash(nearly) == config_hash(config(training={"learning_rate": 0.002}))
    assert config_hash(nearly) != config_hash(config(training={"learning_rate": 0.00201}))


def test_order_of_blocks_matters() -> None:
    one = config(blocks=[{"name": "lstm"}, {"name": "tcn"}])
    other = config(blocks=[{"name": "tcn"}, {"name": "lstm"}])
    assert config_hash(one) != config_hash(other)
    assert SPACE.distance(one, other) > 0.05


def test_a_small_change_of_one_number_is_near() -> None:
    small = SPACE.distance(config(training={"learning_rate": 0.002}), config(training={"learning_rate": 0.0021}))
    large = SPACE.distance(config(training={"learning_rate": 0.002}), config(training={"learning_rate": 0.008}))
    assert 0 < small < 0.005 < large


def test_canonical_refuses_what_is_no_config() -> None:
    with pytest.raises(ConfigError, match="did you mean 'lstm'"):
        canonical({"blocks": [{"name": "lstn"}]})


def test_flatten_refuses_what_lies_outside() -> None:
    narrow = Space.from_registry(max_blocks=1)
    with pytest.raises(ValueError, match="num_blocks = 2 lies outside"):
        narrow.flatten(config(blocks=[{"name": "lstm"}, {"name": "tcn"}]))


def test_description_is_plain_data_with_docs_and_ranges() -> None:
    import json

    text = json.loads(json.dumps(SPACE.describe()))
    assert {"lstm", "tcn", "transformer"} <= set(text["blocks"])
    assert all(entry["doc"] for entry in text["blocks"].values())
    rate = next(p for p in text["shared"] if p["name"] == "training.learning_rate")
    assert rate["log"]
    assert rate["low"] < rate["default"] < rate["high"]


def test_every_choice_is_reached_by_sampling() -> None:
    rng = np.random.default_rng(0)
    drawn = [SPACE.flatten(SPACE.sample(rng)) for _ in range(300)]
    assert {flat["head"] for flat in drawn} == set(SPACE.heads)
    assert {flat["num_blocks"] for flat in drawn} == set(range(SPACE.max_blocks + 1))
    assert {flat["block0"] for flat in drawn if "block0" in flat} == set(SPACE.blocks)


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


def test_networks_of_before_there_were_recipes_keep_their_hashes_and_what_a_seed_draws() -> None:
    journal = Path(__file__).parents[1] / "journal" / "old" / "journal.jsonl"
    told = [each for each in map(json.loads, journal.read_text().splitlines()) if each["kind"] == "candidate"]
    for each in told:
        assert canonical(each["config"]) == each["config"]
        assert config_hash(canonical(each["config"])) == each["hash"]
    assert len(told) == 3
    assert not {*RECIPE} & {*SPACE.sample(np.random.default_rng(0))["training"]}


def test_what_is_varied_of_a_recipe_is_drawn_and_the_rest_is_set_alone() -> None:
    space = Space.from_registry(recipe=["steps", "schedule"])
    drawn = [space.sample(np.random.default_rng(seed))["training"] for seed in range(60)]
    assert {each["steps"] for each in drawn} == {0.4, 0.6, 0.8, 1.0}
    assert {each["schedule"] for each in drawn} == {"cycle", "cosine", "trapezoid"}
    assert not {"tilt", "half_life"} & {name for each in drawn for name in each}
    tilted = config(training={"tilt": 0.5})
    flat = space.flatten(tilted)
    assert (flat["training.steps"], flat["training.tilt"]) == (1.0, 0.5)
    assert "training.half_life" not in flat
    assert canonical(to_config(flat)) == tilted
    assert space.distance(config(), tilted) > 0.005
    assert SPACE.distance(config(), tilted) == SPACE.distance(tilted, config())
