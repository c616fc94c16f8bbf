from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthcity import strict_json
from synthcity.agents.asking.answers import check, parse_arguments, plain_name, read_choice, split_thinking
from synthcity.agents.asking.trouble import Trouble
from synthcity.agents.messages import ToolCall

SCHEMA = {
    "type": "object",
    "properties": {"width": {"type": "integer", "minimum": 1, "maximum": 8}, "why": {"type": "string"}},
    "required": ["width"],
    "additionalProperties": False,
}
GOOD = '{"width": 3}'
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize(
    ("content", "said", "thought"),
    [
        ("plain", "plain", ""),
        ("<think>\nhm\n</think>\n\nyes", "yes", "hm"),
        ("<THINKING>a</THINKING>x<think>b</think>y", "xy", "a\nb"),
        ("the template opened it\n</think>\nyes", "yes", "the template opened it"),
        ("<think>never ended " + GOOD, "", "never ended " + GOOD),
        (' {"why": "<think> is a tag"} ', '{"why": "<think> is a tag"}', ""),
    ],
)
def test_thinking_is_told_apart(content: str, said: str, thought: str) -> None:
    assert split_thinking(content) == (said, thought)


@given(JSON)
def test_whatever_is_json_is_what_was_said(value: Any) -> None:
    text = json.dumps(value)
    assert split_thinking(text) == (text, "")
    assert strict_json.loads(text) == value


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        f"```json\n{GOOD}\n```",
        f"```\n{GOOD}",
        f"Sure, {{here}}:\n{GOOD}\nHope {{this}} helps.",
        f"{GOOD} is my answer.",
        f'A draft: {{"width": 99}}. Better: {GOOD}',
        f'```json\n{{"width": 0}}\n```\nno:\n```json\n{GOOD}\n```',
    ],
)
def test_the_value_that_fits_is_found(text: str) -> None:
    assert check(text, SCHEMA) == ({"width": 3}, [])


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "the answer is empty"),
        ("no idea", "there is no JSON in the answer"),
        ('{"width": 3', "the JSON is broken: Expecting ',' delimiter: line 1 column 12 (char 11)"),
        ('```json\n{"a": {"width": 3}\n```', "the JSON is broken: Expecting ',' delimiter: line 1 column 19 (char 18)"),
        ('{"width": NaN}', "the JSON is broken: NaN is no JSON number"),
        ('{"width": 1e999}', "the JSON is broken: 1e999 is no finite number"),
        ("[" * 100_000, "the JSON is broken: nested too deeply"),
        ('{"a":' * 100_000, "the JSON is broken: nested too deeply"),
        ('{"width": 99}', "width: 99 is greater than the maximum of 8"),
        ('{"width": true}', "width: True is not of type 'integer'"),
        ("{}", "the value: 'width' is a required property"),
        ('{"width": 3, "depth": 1}', "the value: Additional properties are not allowed ('depth' was unexpected)"),
        ("[]", "the value: [] is not of type 'object'"),
        # the errors are those of the answer, not of an aside
        ('An aside {}. {"width": 99}', "width: 99 is greater than the maximum of 8"),
    ],
)
def test_what_is_wrong_is_said(text: str, error: str) -> None:
    assert check(text, SCHEMA) == (None, [error])


def test_errors_name_the_place_and_are_few_and_short() -> None:
    schema = {"type": "array", "items": {"type": "object", "properties": {"x": {"type": "integer"}}}}
    _, errors = check(json.dumps([{"x": "y" * 1000}] * 20), schema)
    assert errors[0].startswith("[0].x: 'yyy")
    assert len(errors) == 9
    assert errors[-1] == "... and 12 more"
    assert max(map(len, errors)) < 250


def test_of_several_schemas_the_nearest_speaks() -> None:
    def block(name: str) -> dict[str, Any]:
        return {
            "type": "object",
            "properties": {"name": {"const": name}, "units": {"type": "integer", "maximum": 64}},
            "required": ["name", "units"],
        }

    _, errors = check('{"name": "lstm", "units": 900}', {"oneOf": [block("tcn"), block("lstm")]})
    assert errors == ["units: 900 is greater than the maximum of 64"]


def message(**fields: Any) -> dict[str, Any]:
    return {"choices": [{"message": fields, "finish_reason": "stop"}]}


def test_a_choice_is_read_whatever_form_it_has() -> None:
    assert read_choice(message(content="<think>a</think>b", reasoning_content="r ")) == ("b", "r\na", (), "stop")
    parts = [{"type": "text", "text": "a"}, {"type": "image"}, "?", {"text": "b"}]
    assert read_choice(message(content=parts))[0] == "ab"
    assert read_choice(message(content=None)) == ("", "", (), "stop")
    calls = [
        {"id": "7", "function": {"name": "f", "arguments": "{"}},
        {"function": {"name": "g", "arguments": {"a": 1}}},
        {"function": {"name": "h"}},
        {"function": {"name": 3}},
        "nonsense",
    ]
    assert read_choice(message(tool_calls=calls))[2] == (
        ToolCall(id="7", name="f", arguments="{"),
        ToolCall(id="call_1", name="g", arguments='{"a": 1}'),
        ToolCall(id="call_2", name="h", arguments=""),
    )


@pytest.mark.parametrize(
    "data", [None, "text", {}, {"choices": []}, {"choices": [None]}, {"choices": [{"message": 1}]}]
)
def test_no_choice_is_trouble_that_may_be_billed(data: Any) -> None:
    with pytest.raises(Trouble) as caught:
        read_choice(data)
    assert caught.value.maybe_billed


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", {}),
        ('{"a": "two\nlines\tand a tab"}', {"a": "two\nlines\tand a tab"}),
        (json.dumps(json.dumps({"a": 1})), {"a": 1}),
        ('{"a": 1}</tool_call>', {"a": 1}),
        ('{"a": 1}<|call|>', {"a": 1}),
        ('<arguments>{"a": 1}</arguments>\n', {"a": 1}),
        ('```json\n{"a": 1}\n```', {"a": 1}),
        ('{"a": "<b>x</b>"}', {"a": "<b>x</b>"}),
    ],
)
def test_arguments_as_models_write_them(text: str, value: object) -> None:
    assert parse_arguments(text) == value


@pytest.mark.parametrize("text", ['{"a": 1} and {"b": 2}', '{"a": ', "nothing", '{"a": NaN}', "[" * 100_000])
def test_arguments_that_are_none_all_the_same(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_arguments(text)


@pytest.mark.parametrize(
    "name", ["finish", "functions.finish", "default_api:finish", "finish()", "finish<|channel|>commentary", " finish "]
)
def test_a_tools_own_name(name: str) -> None:
    assert plain_name(name) == "finish"


def test_a_call_written_into_the_text_is_one() -> None:
    content = 'I end here.\n<tool_call>\n{"name": "finish", "arguments": {"summary": "done"}}\n</tool_call>'
    calls = read_choice({"choices": [{"message": {"content": content}}]})[2]
    assert [(call.name, json.loads(call.arguments)) for call in calls] == [("finish", {"summary": "done"})]
