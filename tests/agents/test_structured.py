from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from synthcity.agents.client import LLMClient
from synthcity.agents.config import CapsConfig
from synthcity.agents.standin.process import RunningStandIn
from synthcity.agents.structured import Structured, complete_json
from synthcity.errors import LLMAnswerError, LLMBudgetExceeded, LLMUnavailable

Make = Callable[..., LLMClient]
SCHEMA = {
    "type": "object",
    "properties": {
        "proposals": {
            "type": "array",
            "minItems": 1,
            "uniqueItems": True,
            "items": {
                "type": "object",
                "properties": {
                    "block": {"enum": ["lstm", "tcn"]},
                    "width": {"type": "integer", "minimum": 8, "maximum": 64},
                    "dropout": {"type": "number", "minimum": 0, "maximum": 0.5},
                    "rationale": {"type": "string", "maxLength": 200},
                },
                "required": ["block", "width", "dropout", "rationale"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["proposals"],
    "additionalProperties": False,
}


def ask(client: LLMClient, **changes: Any) -> Structured:
    messages = [{"role": "user", "content": "Propose."}]
    return complete_json(client, messages, SCHEMA, account="p1", purpose="propose", **changes)


@pytest.mark.parametrize("model", ["*General*", "*Coder*", "*Small*"])  # json_schema, json_object and text
@pytest.mark.parametrize("behaviour", ["good", "think", "think_unopened", "fence", "prose", "injection"])
def test_what_is_wrapped_needs_no_repair(server: RunningStandIn, make_client: Make, behaviour: str, model: str) -> None:
    server.script([behaviour])
    done = ask(make_client(models=(model,)))
    assert not done.repaired
    assert done.value["proposals"][0]["block"] in ("lstm", "tcn")


@pytest.mark.parametrize("model", ["*General*", "*Coder*", "*Small*"])
@pytest.mark.parametrize(
    ("behaviour", "complaint"),
    [
        ("break_schema", "- the value: "),
        ("broken_json", "- the JSON is broken: "),
        ("length", "it was cut off after"),
        ("nan", "- the JSON is broken: NaN is no JSON number"),
        ("out_of_range", "is greater than the maximum of 64"),
        ("duplicates", "non-unique elements"),
        ("empty_list", "proposals: [] should be non-empty"),
        ("plain", "- there is no JSON in the answer"),
        ("empty", "- the answer is empty"),
    ],
)
def test_what_does_not_fit_is_repaired_once(
    server: RunningStandIn, make_client: Make, tmp_path: Path, behaviour: str, complaint: str, model: str
) -> None:
    server.script([behaviour])
    client = make_client(tmp_path, models=(model,))
    done = ask(client, max_tokens=3000)
    assert done.repaired
    first, second = server.questions()
    assert second["messages"][: len(first["messages"]) - 1] == first["messages"][:-1]
    assert second["messages"][-2]["role"] == "assistant"
    assert complaint in second["messages"][-1]["content"]
    assert json.dumps(SCHEMA) in second["messages"][-1]["content"]
    assert second["max_tokens"] == (6000 if behaviour == "length" else 3000)
    assert client.ledger.accounts["p1"].calls == 2
    events = [json.loads(line) for line in (tmp_path / "llm.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [event["purpose"] for event in events if event["kind"] == "request"] == ["propose", "propose:repair"]


def test_a_second_failure_is_the_last(server: RunningStandIn, make_client: Make) -> None:
    server.script(["plain", {"content": {"proposals": [{"block": "mamba", "width": 8.5}]}}])
    with pytest.raises(
        LLMAnswerError, match=r"General-TEE does not fit, its repair included: proposals\[0\]"
    ) as caught:
        ask(make_client())
    assert "proposals[0].block: 'mamba' is not one of ['lstm', 'tcn']" in str(caught.value)
    assert len(server.questions()) == 2


def test_a_repair_is_capped_and_may_fail(server: RunningStandIn, make_client: Make) -> None:
    server.script([{"content": "x", "usage": None}])
    with pytest.raises(LLMBudgetExceeded, match="proposal 'p1'"):
        ask(make_client(caps=CapsConfig(tokens_per_proposal=4000)), max_tokens=2000)
    server.script(["plain", {"do": "spam", "retry_after": 9999}])
    with pytest.raises(LLMUnavailable):
        ask(make_client())


def test_a_long_wrong_answer_is_not_sent_back_whole(server: RunningStandIn, make_client: Make) -> None:
    server.script([{"content": "x" * 30_000}])
    ask(make_client())
    assert len(server.questions()[1]["messages"][-2]["content"]) == 8000


def test_what_is_no_schema_is_the_callers_mistake(server: RunningStandIn, make_client: Make) -> None:
    with pytest.raises(ValueError, match="this is no JSON Schema"):
        complete_json(make_client(), [], {"type": "objekt"}, account="p1")
    assert server.questions() == []


HELLO = [{"role": "user", "content": "Hello?"}]
LAYERS = {"layers": 3}
LAYERS_SCHEMA = {"type": "object", "properties": {"layers": {"type": "integer"}}, "required": ["layers"]}


def test_an_answer_that_stands_where_thoughts_belong_counts(server: RunningStandIn, make_client: Make) -> None:
    server.script([{"content": "", "reasoning": f"So it is:\n{json.dumps(LAYERS)}"}])
    found = complete_json(make_client(), HELLO, LAYERS_SCHEMA, account="p1")
    assert (found.value, found.repaired) == (LAYERS, False)


@pytest.mark.parametrize("content", [json.dumps(json.dumps(LAYERS)), f"{json.dumps(LAYERS)}</answer>"])
def test_wrapped_json_needs_no_repair(server: RunningStandIn, make_client: Make, content: str) -> None:
    server.script([{"content": content}])
    found = complete_json(make_client(), HELLO, LAYERS_SCHEMA, account="p1")
    assert (found.value, found.repaired) == (LAYERS, False)
