from __future__ import annotations

from typing import Any

import pytest

from synthcity.agents.asking.models import Model, choose, parse_models, unlisted
from synthcity.agents.ledger import Price
from synthcity.agents.standin.script import MODELS
from synthcity.errors import LLMRefused

LIST = (
    Model(id="big/Popular", features=frozenset({"tools"})),
    Model(id="zai-org/GLM-5-TEE", features=frozenset({"tools", "structured_outputs"})),
    Model(id="other/Unknown"),
    Model(id="zai-org/GLM-4", features=frozenset()),
)


def ids(**arguments: Any) -> list[str]:
    return [model.id for model in choose(LIST, **({"preferences": ()} | arguments))]


def test_chutes_rows_are_read() -> None:
    first = parse_models({"object": "list", "data": MODELS})[0]
    assert first.price == Price(0.3, 1.2)
    assert (first.context_length, first.max_output) == (202_752, 65_536)
    assert first.can("tools") is True
    assert first.can("telepathy") is False


@pytest.mark.parametrize(
    ("row", "model"),
    [
        ({"id": "a"}, Model(id="a")),
        ({"id": "a", "supported_features": ["x", 3]}, Model(id="a", features=frozenset({"x"}))),
        ({"id": "a", "supported_features": "x", "max_model_len": "1"}, Model(id="a")),
        ({"id": "a", "max_model_len": 9}, Model(id="a", context_length=9)),
        ({"id": "a", "price": {"input": {"usd": 1}, "output": {"usd": 2}}}, Model(id="a", price=Price(1.0, 2.0))),
        # a text may mean USD per single token; an unknown price is refused later, a wrong one would be believed
        ({"id": "a", "pricing": {"prompt": "0.0000003", "completion": "0"}}, Model(id="a")),
        ({"id": "a", "pricing": {"prompt": -1, "completion": 1}}, Model(id="a")),
        ({"id": "a", "pricing": {"prompt": float("nan"), "completion": 1}}, Model(id="a")),
        ({"id": "a", "pricing": {"prompt": 1}}, Model(id="a")),
        ({"id": "a", "price": {"input": 3}}, Model(id="a")),
    ],
)
def test_what_makes_no_sense_is_unknown(row: dict[str, Any], model: Model) -> None:
    assert parse_models({"data": [row]}) == (model,)


def test_rows_that_name_no_text_model_are_left_out() -> None:
    rows = [None, {}, {"id": 3}, {"id": ""}, {"id": "img", "output_modalities": ["image"]}, {"id": "a"}, {"id": "a"}]
    assert [model.id for model in parse_models({"data": rows})] == ["a"]
    assert parse_models("text") == parse_models({"data": "text"}) == ()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, [model.id for model in LIST]),
        ({"wished": ["structured_outputs"]}, ["zai-org/GLM-5-TEE", "big/Popular", "other/Unknown", "zai-org/GLM-4"]),
        ({"required": ["tools"]}, ["big/Popular", "zai-org/GLM-5-TEE", "other/Unknown"]),
        ({"preferences": ["*glm*"]}, ["zai-org/GLM-5-TEE", "zai-org/GLM-4"]),
        ({"preferences": ["*glm-4", "*GLM*", "big/*"]}, ["zai-org/GLM-4", "zai-org/GLM-5-TEE", "big/Popular"]),
        ({"preferences": ["*glm*"], "required": ["tools"]}, ["zai-org/GLM-5-TEE"]),
        # names come and go: features decide where no preference is left
        ({"preferences": ["gone"], "required": ["structured_outputs"]}, ["zai-org/GLM-5-TEE", "other/Unknown"]),
    ],
)
def test_preference_then_features_then_popularity(arguments: dict[str, Any], expected: list[str]) -> None:
    assert ids(**arguments) == expected


@pytest.mark.parametrize(
    ("model", "longest"),
    [
        (Model(id="a"), 1000),
        (Model(id="a", max_output=600), 600),
        (Model(id="a", context_length=900), 800),
        (Model(id="a", context_length=50), 1),
    ],
)
def test_an_answer_must_find_room(model: Model, longest: int) -> None:
    assert model.longest_answer(1000, prompt_bytes=300) == longest


def test_no_model_is_refused_by_name_of_what_lacks() -> None:
    with pytest.raises(LLMRefused, match=r"no model with tools; see llm\.models"):
        choose(LIST[3:], (), ["tools"])


def test_an_endpoint_without_a_list_is_asked_for_the_names() -> None:
    assert [model.id for model in unlisted(("gemma", "*GLM*", "llama[0-9]"))] == ["gemma"]
