from __future__ import annotations

import json
from typing import Any

import pytest

from synthcity.agents.messages import Reply, Request, Spend, ToolCall


def request(**fields: Any) -> Request:
    return Request(**{"messages": ({"role": "user", "content": "Grüße"},), "temperature": 0.5} | fields)


def test_the_key_is_the_same_in_every_process_and_python() -> None:
    assert request().key == "faffaedf94e6bd8436d1b3ab08b1f70227d005008fb7947ec4761c9c96aba93f"
    reordered = request(messages=({"content": "Grüße", "role": "user"},))
    assert reordered.key == request().key


@pytest.mark.parametrize(
    "change",
    [
        {"messages": ({"role": "user", "content": "Gruß"},)},
        {"schema": {"type": "object"}},
        {"tools": ({"type": "function"},)},
        {"temperature": 0.6},
        {"temperature": 0.0},
        {"max_tokens": 1},
        {"models": ("a",)},
        {"prompt_version": "planner@1"},
    ],
)
def test_everything_that_is_asked_is_in_the_key(change: dict[str, Any]) -> None:
    assert request(**change).key != request().key


def test_replies_go_through_json() -> None:
    reply = Reply(
        text="a",
        thinking="b",
        tool_calls=(ToolCall(id="1", name="f", arguments="{}"),),
        finish_reason="length",
        model="m",
        spend=Spend(calls=1, usd=0.25),
    )
    assert Reply.from_dict(json.loads(json.dumps(reply.to_dict()))) == reply
    assert reply.truncated
    assert reply.as_replayed().spend.replayed_usd == 0.25


def test_spends_add_up() -> None:
    one = Spend(calls=1, prompt_tokens=2, completion_tokens=3, usd=0.5)
    assert one + one - one == one
    assert (one + one).tokens == 10


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"text": 5}, "text must be text, got 5"),
        ({"tool_calls": [{"id": "1", "name": 2, "arguments": "{}"}]}, "name must be text, got 2"),
        ({"spend": {"usd": "x"}}, "usd must be a number from 0 up, got 'x'"),
        ({"spend": {"usd": -5.0}}, "usd must be a number from 0 up, got -5.0"),
        ({"spend": {"prompt_tokens": float("nan")}}, "prompt_tokens must be a number from 0 up"),
    ],
)
def test_what_is_no_reply_is_not_read_as_one(changes: dict[str, Any], text: str) -> None:
    with pytest.raises(TypeError, match=text):
        Reply.from_dict(Reply(text="a").to_dict() | changes)


def test_a_clock_that_was_set_back_spoils_no_transcript() -> None:
    assert Spend.from_dict({"calls": 1, "seconds": -0.5}).seconds == -0.5
