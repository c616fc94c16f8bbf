"""Answers of the stand-in, good and spoilt."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from synthcity.agents.standin.answer import ScriptedAnswer, asked_schema, compose

SCHEMA = {
    "type": "object",
    "properties": {"layers": {"type": "integer", "minimum": 1, "maximum": 4}, "name": {"type": "string"}},
    "required": ["layers", "name"],
    "additionalProperties": False,
}
FORM = {"response_format": {"type": "json_schema", "json_schema": {"schema": SCHEMA}}}
TOLD = {"messages": [{"role": "user", "content": f"Answer by this JSON Schema: {json.dumps(SCHEMA)} Thanks."}]}
TOOLS = {"tools": [{"function": {"name": "look"}}, {"function": {"name": "finish", "parameters": SCHEMA}}]}
SAID = {"messages": [{"role": "user", "content": "Hello?"}]}


def answer(do: str, body: dict[str, Any], **options: Any) -> ScriptedAnswer:
    return compose({"do": do, **options}, {**SAID, **body}, random.Random(0))


@pytest.mark.parametrize(("body", "found"), [(FORM | SAID, SCHEMA), (TOLD, SCHEMA), (SAID, None)])
def test_a_schema_is_found_where_it_is_asked_for(body: dict[str, Any], found: Any) -> None:
    assert asked_schema(body) == found


@pytest.mark.parametrize("text", ["JSON Schema: none", "JSON Schema: [1]", "JSON Schema:", None])
def test_what_only_looks_like_a_schema_is_none(text: str | None) -> None:
    assert asked_schema({"messages": [{"content": text}]}) is None


@pytest.mark.parametrize("body", [FORM, TOLD])
def test_a_good_answer_is_json_of_the_form(body: dict[str, Any]) -> None:
    value = json.loads(answer("good", body).content)
    assert value.keys() == {"layers", "name"}
    assert 1 <= value["layers"] <= 4


def test_with_tools_it_finishes_and_without_a_form_it_talks() -> None:
    found = answer("good", TOOLS)
    (call,) = found.tool_calls
    assert (call["function"]["name"], found.finish_reason, found.content) == ("finish", "tool_calls", "")
    assert json.loads(call["function"]["arguments"]).keys() == {"layers", "name"}
    assert answer("good", {}).content == "All right."


@pytest.mark.parametrize(
    ("do", "begins", "ends"),
    [("think", "<think>", "}"), ("think_unopened", "Let me think.", "}"), ("fence", "```json", "```"),
     ("prose", "Sure,", "{you}.")],
)  # fmt: skip
def test_good_json_may_come_in_wrappings(do: str, begins: str, ends: str) -> None:
    whole, inner = answer(do, FORM).content, answer("good", FORM).content
    assert whole.startswith(begins)
    assert whole.endswith(ends)
    assert inner in whole


@pytest.mark.parametrize(("do", "reason"), [("broken_json", "stop"), ("length", "length")])
def test_json_may_end_in_the_middle_and_say_so_or_not(do: str, reason: str) -> None:
    found = answer(do, FORM)
    assert found.finish_reason == reason
    assert answer("good", FORM).content.startswith(found.content)
    with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
        json.loads(found.content)


def test_values_may_be_wrong_in_each_way() -> None:
    assert json.loads(answer("out_of_range", FORM).content)["layers"] > 4
    assert "surprise" in json.loads(answer("break_schema", FORM).content)
    assert "NaN" in answer("nan", FORM).content
    assert "Ignore all previous instructions" in answer("injection", FORM).content


def test_tools_may_be_called_wrongly() -> None:
    (unknown,) = answer("unknown_tool", TOOLS).tool_calls
    (bad,) = answer("bad_arguments", TOOLS).tool_calls
    assert unknown["function"] == {"name": "launch_rocket", "arguments": "{}"}
    assert bad["function"] == {"name": "look", "arguments": '{"top": '}


def test_an_answer_is_cut_at_the_tokens_that_were_asked_for() -> None:
    found = answer("good", {"max_tokens": 10}, content="x" * 400)
    assert (found.content, found.finish_reason) == ("x" * 40, "length")
    assert answer("good", {"max_tokens": 200}, content="x" * 400).finish_reason == "stop"


def test_what_a_script_says_goes_before_all() -> None:
    found = answer("good", FORM, content={"a": 1}, reasoning="hm", finish_reason="odd")
    assert (found.content, found.reasoning, found.finish_reason) == ('{"a": 1}', "hm", "odd")
    (call,) = answer("good", {}, tool_calls=[{"name": "f", "arguments": {"b": 2}}]).tool_calls
    assert call["function"] == {"name": "f", "arguments": '{"b": 2}'}


def test_tokens_are_four_characters_each() -> None:
    assert ScriptedAnswer("x" * 40).num_tokens == 1 + (40 + 2) // 4
    assert ScriptedAnswer("x" * 40, reasoning="y" * 40).num_tokens == 1 + (80 + 2) // 4
