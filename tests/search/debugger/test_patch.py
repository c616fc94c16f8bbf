"""Changes by path are all that a repair can do."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from synthcity.errors import ConfigError
from synthcity.search.candidates.space import canonical
from synthcity.search.debugger.patch import apply, describe, options, paths, reset
from tests.search.builders import config

NET = config(blocks=[{"name": "gru"}, {"name": "tcn", "levels": 2}], head={"name": "sde", "hidden": 64})


def test_a_value_is_changed_in_a_copy() -> None:
    kept = copy.deepcopy(NET)
    changed = apply(NET, {"training.learning_rate": 0.001, "blocks.1.levels": 5, "d_model": 16})
    assert kept == NET
    assert changed["training"] == {**NET["training"], "learning_rate": 0.001}
    assert changed["blocks"][1]["levels"] == 5
    assert changed["blocks"][0] == NET["blocks"][0]
    assert changed["d_model"] == 16


def test_a_block_set_to_nothing_is_left_out_and_the_others_keep_their_numbers_until_then() -> None:
    changed = apply(NET, {"blocks.0": None, "blocks.1.levels": 5})
    assert [(block["name"], block["levels"]) for block in changed["blocks"]] == [("tcn", 5)]


def test_a_new_name_brings_its_own_defaults_and_options_given_with_it_hold() -> None:
    changed = canonical(apply(NET, {"head.hidden": 16, "head.name": "gbm"}))
    assert changed["head"] == {**config()["head"], "hidden": 16}


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        ("training.learning_rat", 1.0, "unknown path 'training.learning_rat'; did you mean 'training.learning_rate'"),
        ("search.seed", 1, "unknown path 'search.seed'"),
        ("data.periods", 1, "unknown path"),
        ("blocks.2.levels", 1, "unknown path"),
        ("head", None, "unknown path 'head'"),
        ("blocks", [], "unknown path 'blocks'"),
        ("training", {}, "unknown path 'training'"),
        ("", 1, "unknown path ''"),
        ("blocks.0", {"name": "lstm"}, "blocks.0 can only be set to null, which leaves the block out"),
    ],
)
def test_nothing_else_can_be_changed(path: str, value: Any, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        apply(NET, {path: value})


def test_options_are_those_of_training_size_and_parts_by_path() -> None:
    found = options(NET)
    assert found["training.learning_rate"][0] == NET["training"]["learning_rate"]
    assert found["blocks.1.levels"][0] == 2
    assert found["head.hidden"][1].kind == "int"
    assert "head.name" not in found
    assert {"head.name", "blocks.0.name", "blocks.1.name", "blocks.0", "blocks.1"} == set(paths(NET)) - set(found)


def test_resetting_a_part_tells_what_differs_from_its_defaults() -> None:
    assert reset(NET, "head") == {"head.hidden": 32}
    assert reset(NET, "blocks.1") == {"blocks.1.levels": 4}
    assert reset(NET, "blocks.0") == {}


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"training.learning_rate": 0.0005}, "training.learning_rate 0.003 to 0.0005"),
        ({"head.name": "gbm"}, "head.name sde to gbm"),
        ({"blocks.1": None, "head.hidden": 8}, "without blocks.1 (tcn), head.hidden 64 to 8"),
    ],
)
def test_a_patch_is_told_in_one_line(changes: dict[str, Any], text: str) -> None:
    net = apply(NET, {"training.learning_rate": 0.003})
    assert describe(net, changes) == text


def test_a_recipe_is_a_path_whether_it_is_written_down_or_not() -> None:
    assert {"training.steps", "training.schedule", "training.tilt", "training.half_life"} <= {*paths(NET)}
    assert options(NET)["training.steps"][0] == 1.0
    assert apply(NET, {"training.steps": 0.4})["training"] == {**NET["training"], "steps": 0.4}
    assert describe(NET, {"training.steps": 0.4}) == "training.steps 1 to 0.4"
