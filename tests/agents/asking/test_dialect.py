from __future__ import annotations

from typing import Any

import pytest

from synthcity.agents.asking.dialect import Dialect
from synthcity.agents.asking.models import Model
from synthcity.agents.messages import Request

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}


def request(**fields: Any) -> Request:
    return Request(**{"messages": ({"role": "user", "content": "Hi"},), "schema": SCHEMA, "temperature": 0.5} | fields)


@pytest.mark.parametrize(
    ("features", "output"),
    [
        (None, "json_schema"),
        ({"structured_outputs", "json_mode"}, "json_schema"),
        ({"json_mode"}, "json_object"),
        ({"tools"}, "text"),
    ],
)
def test_the_best_form_that_the_model_has(features: set[str] | None, output: str) -> None:
    assert Dialect.of(Model(id="m", features=None if features is None else frozenset(features))).output == output


def test_bodies() -> None:
    best = Dialect().body("m", request(), 99)
    assert best == {
        "model": "m",
        "messages": [{"role": "user", "content": "Hi"}],
        "max_tokens": 99,
        "temperature": 0.5,
        "response_format": {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": SCHEMA}},
    }
    told = Dialect(output="json_object", temperature=False, tokens_field="max_completion_tokens").body(
        "m", request(), 9
    )
    assert told["response_format"] == {"type": "json_object"}
    assert told["messages"][-1]["content"].startswith("Hi\n\nAnswer with one JSON value")
    assert str(SCHEMA).replace("'", '"') in told["messages"][-1]["content"]
    assert "temperature" not in told
    assert told["max_completion_tokens"] == 9
    plain = Dialect(output="text").body("m", request(messages=({"role": "system", "content": "S"},)), 9)
    assert "response_format" not in plain
    assert [message["role"] for message in plain["messages"]] == ["system", "user"]
    free = Dialect().body("m", request(schema=None, temperature=None, tools=({"type": "function"},)), 9)
    assert free.keys() == {"model", "messages", "max_tokens", "tools"}


@pytest.mark.parametrize(
    ("refusal", "changed"),
    [
        ("response_format is not supported", {"output": "json_object"}),
        ("Unsupported value: 'temperature' does not support 0.5", {"temperature": False}),
        (
            "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.",
            {"tokens_field": "max_completion_tokens"},
        ),
    ],
)
def test_refusals_teach(refusal: str, changed: dict[str, Any]) -> None:
    assert Dialect().after(refusal, request(), 8192, 100) == Dialect(**changed)


def test_learning_ends() -> None:
    refusal = "no temperature, no response_format, max_completion_tokens"
    learnt = [Dialect()]
    while (further := learnt[-1].after(refusal, request(), 8192, 100)) is not None:
        learnt.append(further)
    assert len(learnt) == 5
    assert learnt[-1] == Dialect(output="text", temperature=False, tokens_field="max_completion_tokens")
    assert Dialect().after("the prompt is too long", request(), 8192, 100) is None
    assert Dialect().after("response_format", request(schema=None), 8192, 100) is None
    assert Dialect().after("temperature", request(temperature=None, schema=None), 8192, 100) is None
