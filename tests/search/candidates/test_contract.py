"""The schema takes what the space can draw, and nothing beside it."""

from __future__ import annotations

import copy
import json
from typing import Any

import jsonschema
import numpy as np
import pytest

from synthcity.nets.config import RECIPE
from synthcity.search.candidates.contract import MAX_PROPOSALS, proposals_schema
from synthcity.search.candidates.space import Space

SPACE = Space.from_registry(2)
SCHEMA = proposals_schema(SPACE, MAX_PROPOSALS)
CHECK = jsonschema.Draft202012Validator(SCHEMA)


def answer(config: Any, **changes: Any) -> dict[str, Any]:
    told = {"parent": None, "category": "block", "rationale": "try it", "predicted_score": 5300.0}
    return {"proposals": [{**told, "config": config, **changes}]}


def test_it_is_a_schema_and_plain_data() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA


@pytest.mark.parametrize("seed", range(8))
def test_what_the_space_draws_fits(seed: int) -> None:
    CHECK.validate(answer(SPACE.sample(np.random.default_rng(seed))))


def test_names_alone_are_enough() -> None:
    CHECK.validate(answer({"blocks": [{"name": "gru"}], "head": {"name": "gbm"}}))


GRU, GBM = {"name": "gru"}, {"name": "gbm"}


@pytest.mark.parametrize(
    "config",
    [
        {"blocks": [GRU]},
        {"head": GBM},
        {"blocks": [GRU] * 3, "head": GBM},
        {"blocks": [{"name": "grew"}], "head": GBM},
        {"blocks": [{"num_layers": 1}], "head": GBM},
        {"blocks": [{"name": "gru", "heads": 1}], "head": GBM},
        {"blocks": [{"name": "gru", "num_layers": 99}], "head": GBM},
        {"blocks": [{"name": "gru", "num_layers": 1.5}], "head": GBM},
        {"blocks": [{"name": "gru", "dropout": -0.1}], "head": GBM},
        {"blocks": [GRU], "head": {"name": "gbm", "level": 1}},
        {"blocks": [GRU], "head": {"name": "gbm", "innovation": "cauchy"}},
        {"blocks": [GRU], "head": GBM, "training": {"learning_rate": 1.0}},
        {"blocks": [GRU], "head": GBM, "training": {"seed": 1}},
        {"blocks": [GRU], "head": GBM, "d_model": 33},
        {"blocks": [GRU], "head": GBM, "colour": "red"},
    ],
)
def test_what_the_space_cannot_draw_does_not(config: dict[str, Any]) -> None:
    assert not CHECK.is_valid(answer(config))


@pytest.mark.parametrize(
    "changes", [{"rationale": "x" * 201}, {"category": "luck"}, {"predicted_score": "low"}, {"parent": 3}, {"more": 1}]
)
def test_words_around_a_config_are_held_to_their_form(changes: dict[str, Any]) -> None:
    config = {"blocks": [GRU], "head": GBM}
    CHECK.validate(answer(config))
    assert not CHECK.is_valid(answer(config, **changes))


def test_an_answer_has_one_to_count_proposals() -> None:
    whole = answer({"blocks": [GRU], "head": GBM})
    for count, fits in ((0, False), (1, True), (MAX_PROPOSALS, True), (MAX_PROPOSALS + 1, False)):
        assert CHECK.is_valid({"proposals": copy.deepcopy(whole["proposals"]) * count}) is fits


def test_a_recipe_is_asked_for_as_far_as_it_is_varied() -> None:
    named = [proposals_schema(Space.from_registry(2, recipe), 1) for recipe in ((), RECIPE)]
    assert ["trapezoid" in json.dumps(schema) for schema in named] == [False, True]
