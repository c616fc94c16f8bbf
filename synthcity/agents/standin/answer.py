"""Composing the stand-in's answer to one question, good or spoilt."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from functools import partial

from synthcity.agents.standin.instances import Maker, Schema, broken
from synthcity.agents.standin.script import Behaviour, ChatBody

_THOUGHT = 'Let me think. A draft: {"proposals": []}. No, better:'


@dataclass
class ScriptedAnswer:
    """What the model says; tokens are counted as four characters each."""

    content: str
    reasoning: str = ""
    tool_calls: list[dict[str, object]] = field(default_factory=list)
    finish_reason: str = "stop"

    @property
    def num_tokens(self) -> int:
        return 1 + (len(self.content) + len(self.reasoning) + len(json.dumps(self.tool_calls))) // 4


def compose(behaviour: Behaviour, body: ChatBody, rng: random.Random) -> ScriptedAnswer:
    """Answer a chat completion's body as the behaviour says."""
    do = behaviour["do"]
    answer = _base(behaviour, body, rng)
    answer.reasoning = behaviour.get("reasoning", "")
    content = answer.content
    if do == "think":
        answer.content = f"<think>\n{_THOUGHT}\n</think>\n\n{content}"
    elif do == "think_unopened":
        answer.content = f"{_THOUGHT}\n</think>\n{content}"
    elif do == "fence":
        answer.content = f"```json\n{content}\n```"
    elif do == "prose":
        answer.content = f"Sure, {{here}} it is:\n{content}\nI hope that this helps {{you}}."
    elif do in ("broken_json", "length"):
        answer.content = content[: len(content) // 2]
        answer.finish_reason = "length" if do == "length" else "stop"
    elif do in ("plain", "empty"):
        answer = ScriptedAnswer("I would first look at the data, then decide." if do == "plain" else "")
    elif do in ("unknown_tool", "bad_arguments"):
        name = "launch_rocket" if do == "unknown_tool" else _tool_names(body)[0]
        answer = ScriptedAnswer("", tool_calls=[_call(name, "{}" if do == "unknown_tool" else '{"top": ', 0)])
    limit = body.get("max_tokens") or body.get("max_completion_tokens")
    if limit and answer.num_tokens > limit and not answer.tool_calls:
        answer.content, answer.finish_reason = answer.content[: 4 * limit], "length"
    if answer.tool_calls:
        answer.finish_reason = "tool_calls"
    answer.finish_reason = behaviour.get("finish_reason", answer.finish_reason)
    return answer


def _base(behaviour: Behaviour, body: ChatBody, rng: random.Random) -> ScriptedAnswer:
    do = behaviour["do"]
    if "tool_calls" in behaviour:
        calls = [_call(call["name"], call.get("arguments", {}), n) for n, call in enumerate(behaviour["tool_calls"])]
        return ScriptedAnswer(_text(behaviour.get("content", "")), tool_calls=calls)
    if "content" in behaviour:
        return ScriptedAnswer(_text(behaviour["content"]))
    lists = {"duplicates": "duplicates", "empty_list": "empty"}.get(do, "")
    maker = partial(Maker, rng=rng, outside=do == "out_of_range", injection=do == "injection", lists=lists)
    if (schema := asked_schema(body)) is not None:
        value = maker(root=schema).make(schema)
        if do == "nan":
            return ScriptedAnswer(json.dumps({"value": float("nan")}))
        return ScriptedAnswer(json.dumps(broken(value) if do == "break_schema" else value))
    for tool in body.get("tools", []):
        if tool["function"]["name"] == "finish":
            schema = tool["function"].get("parameters", Schema())
            value = maker(root=schema).make(schema)
            return ScriptedAnswer("", tool_calls=[_call("finish", broken(value) if do == "break_schema" else value, 0)])
    return ScriptedAnswer("All right.")


def asked_schema(body: ChatBody) -> Schema | None:
    """Find the schema that an answer should fit: in ``response_format``, or told in the last message."""
    form = body.get("response_format")
    if form and form.get("type") == "json_schema":
        return form["json_schema"]["schema"]
    content = body["messages"][-1].get("content")
    _, separator, text = content.rpartition("JSON Schema:") if isinstance(content, str) else ("", "", "")
    if not separator:
        return None
    told: Schema
    try:
        told, _ = json.JSONDecoder().raw_decode(text.strip())
    except ValueError:
        return None
    return told if isinstance(told, dict) else None


def _call(name: str, arguments: object, number: int) -> dict[str, object]:
    function = {"name": name, "arguments": _text(arguments)}
    return {"id": f"call_{number}", "type": "function", "function": function}


def _tool_names(body: ChatBody) -> list[str]:
    return [tool["function"]["name"] for tool in body.get("tools", [])] or ["finish"]


def _text(content: object) -> str:
    return content if isinstance(content, str) else json.dumps(content)
