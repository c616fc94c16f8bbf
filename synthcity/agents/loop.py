"""The agent loop: messages, tool calls, results, until the model calls ``finish``.

Everything is bounded: turns, calls a turn, the length of a result, the length of the chat, time and, in the client,
money. However it ends, the loop returns what happened; only ``Fatal`` from a tool gets through. Talking is not
finishing: an answer without a call is nudged, a few times.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypedDict

from synthcity.agents.asking.answers import errors_of, parse_arguments, plain_name
from synthcity.agents.client import LLMClient
from synthcity.agents.messages import Message, Reply, Spend, ToolCall
from synthcity.agents.tools import Tool, Toolset, clip
from synthcity.errors import LLMError

FINISH = "finish"
Status = Literal["finished", "gave_up", "out_of_turns", "out_of_context", "out_of_time", "failed"]
SUMMARY: Mapping[str, object] = {
    "type": "object",
    "properties": {"summary": {"type": "string", "description": "what was done and what came of it"}},
    "required": ["summary"],
    "additionalProperties": False,
}


@dataclass(frozen=True, kw_only=True)
class LoopConfig:
    """Bounds of one agent's work.

    Attributes:
        turns: questions to the model.
        calls_per_turn: tool calls of one answer that are made.
        nudges: answers without a call, in a row, before it has given up.
        context: characters of the chat that is sent; old results are left out first.
        seconds: of the whole work.
    """

    turns: int = 12
    calls_per_turn: int = 8
    nudges: int = 2
    context: int = 60_000
    seconds: float = 1_800.0


@dataclass(frozen=True, kw_only=True)
class AgentResult:
    """How an agent's work ended.

    Attributes:
        status: "finished", or which bound ended it, or "failed" where the model did.
        result: what it gave to ``finish``; None unless finished.
        reason: one sentence on every other end.
        messages: the whole chat, with all results and without secrets.
        turns: questions that were asked.
        spend: what its account was charged meanwhile, failed calls and those of its tools included.
    """

    status: Status
    result: Mapping[str, Any] | None = None
    reason: str = ""
    messages: tuple[Message, ...] = ()
    turns: int = 0
    spend: Spend = field(default_factory=Spend)

    @property
    def finished(self) -> bool:
        return self.status == "finished"


def run_agent(
    client: LLMClient,
    toolset: Toolset,
    *,
    system: str,
    task: str,
    account: str,
    purpose: str = "agent",
    finish: Mapping[str, object] = SUMMARY,
    config: LoopConfig | None = None,
    temperature: float | None = None,
    prompt_version: str = "",
    clock: Callable[[], float] = time.monotonic,
) -> AgentResult:
    """Let a model work with tools until it calls ``finish``.

    Args:
        client: whom to ask; its caps bound the money.
        toolset: what it may call.
        system: who it is and by which rules it works.
        task: what to do now.
        account: who pays.
        purpose: stands in the transcript.
        finish: JSON Schema of what it must give to ``finish``.
        config: the bounds.
        temperature: default ``client.config.temperature``.
        prompt_version: of the prompt files behind ``system`` and ``task``.
        clock: seconds.

    Raises:
        Fatal: a tool says that nothing can go on.
    """
    work = _Work(client, toolset, finish, LoopConfig() if config is None else config, account)
    work.messages += client.redact([{"role": "system", "content": system}, {"role": "user", "content": task}])
    return work.run(_Labels(purpose=purpose, temperature=temperature, prompt_version=prompt_version), clock)


class _Labels(TypedDict):
    purpose: str
    temperature: float | None
    prompt_version: str


class _Work:
    """One agent at work: the chat so far, and what is left of its bounds."""

    def __init__(
        self, client: LLMClient, toolset: Toolset, finish: Mapping[str, object], config: LoopConfig, account: str
    ) -> None:
        self.messages: list[Message] = []
        self._client, self._toolset, self._finish = client, toolset, finish
        self._config, self._account = config, account
        self._turns = self._silent = 0
        client.ledger.open_agent(account)
        self._before = client.ledger.account(account)
        last = Tool(name=FINISH, description="End the work with its result.", parameters=finish, function=dict)
        self._definitions = [*toolset.definitions, last.definition]

    def run(self, labels: _Labels, clock: Callable[[], float]) -> AgentResult:
        config, deadline = self._config, clock() + self._config.seconds
        while self._turns < config.turns:
            left = deadline - clock()
            if left <= 0:
                return self._end("out_of_time", f"{config.seconds:g} s were not enough")
            if 0 < self._turns == config.turns - 1:
                self._tell(f"This is your last turn: call {FINISH} now.")
            sent = trim(self.messages, config.context)
            if _length(sent) > config.context:
                text = f"the chat has more than {config.context:,} characters even without old results"
                return self._end("out_of_context", text)
            self._turns += 1
            try:
                reply = self._client.complete(
                    sent, account=self._account, tools=self._definitions, seconds=left, **labels
                )
            except LLMError as error:
                return self._end("failed", str(error))
            self.messages.append(_said(reply))
            ended = self._act(reply) if reply.tool_calls else self._nudge(reply)
            if ended is not None:
                return ended
        return self._end("out_of_turns", f"{config.turns} turns were not enough")

    def _act(self, reply: Reply) -> AgentResult | None:
        """Make the calls of one answer in their order; a good ``finish`` ends the work."""
        self._silent = 0
        most = self._config.calls_per_turn
        room = self._config.context // (2 * min(len(reply.tool_calls), most))  # so that one turn never fills the chat
        for number, (call, name) in enumerate(zip(reply.tool_calls, _ids(reply), strict=True)):
            if number >= most:
                text = f"error: not called; at most {most} calls a turn"
            elif plain_name(call.name) == FINISH:
                result, text = _finished(call, self._finish)
                if result is not None:
                    self.messages.append({"role": "tool", "tool_call_id": name, "content": "done"})
                    return self._end("finished", result=result)
            else:
                text = clip(self._client.redact(self._toolset.call(call.name, call.arguments).text), room)
            self.messages.append({"role": "tool", "tool_call_id": name, "content": text})
        return None

    def _nudge(self, reply: Reply) -> AgentResult | None:
        self._silent += 1
        if self._silent > self._config.nudges:
            return self._end("gave_up", f"it answered {self._silent} times in a row without calling a tool")
        cut = " It was cut off: be brief." if reply.truncated else ""
        names = clip(", ".join([*self._toolset.names, FINISH]), 500)
        self._tell(f"That was no tool call, so nothing happened.{cut} Call {FINISH} to end, or one of: {names}.")
        return None

    def _tell(self, text: str) -> None:
        self.messages.append({"role": "user", "content": text})

    def _end(self, status: Status, reason: str = "", result: Mapping[str, Any] | None = None) -> AgentResult:
        return AgentResult(
            status=status,
            result=result,
            reason=reason,
            messages=tuple(self.messages),
            turns=self._turns,
            spend=self._client.ledger.account(self._account) - self._before,
        )


def trim(messages: list[Message], limit: int) -> list[Message]:
    """Return the chat with old tool results left out, oldest first, until it is no longer than ``limit``.

    The results of the last turn stay: the model has not seen them yet.
    """
    trimmed, excess = list(messages), _length(messages) - limit
    asked = max((n for n, message in enumerate(messages) if message["role"] == "assistant"), default=0)
    for number, message in enumerate(messages[:asked]):
        if excess <= 0:
            break
        if message["role"] == "tool":
            short = {**message, "content": f"[left out; it had {len(message['content']):,} characters]"}
            saved = _length([message]) - _length([short])
            if saved > 0:
                trimmed[number] = short
                excess -= saved
    return trimmed


def _length(messages: list[Message]) -> int:
    return sum(len(json.dumps(message, ensure_ascii=False)) for message in messages)


def _said(reply: Reply) -> Message:
    """Return the answer as history: servers refuse arguments that are no JSON, and messages without a text."""
    if not reply.tool_calls:
        return {"role": "assistant", "content": reply.text or "(nothing)"}
    calls = [
        {
            "id": name,
            "type": "function",
            "function": {"name": plain_name(call.name)[:64], "arguments": _arguments(call)},
        }
        for call, name in zip(reply.tool_calls, _ids(reply), strict=True)
    ]
    return {"role": "assistant", "content": reply.text or None, "tool_calls": calls}


def _ids(reply: Reply) -> list[str]:
    given = [call.id for call in reply.tool_calls]
    return given if len(set(given)) == len(given) else [f"{name}_{number}" for number, name in enumerate(given)]


def _arguments(call: ToolCall) -> str:
    try:
        values = parse_arguments(call.arguments)
    except ValueError:
        return "{}"
    return json.dumps(values, ensure_ascii=False) if isinstance(values, dict) else "{}"


def _finished(call: ToolCall, schema: Mapping[str, object]) -> tuple[Mapping[str, Any] | None, str]:
    try:
        result = parse_arguments(call.arguments)
    except ValueError as error:
        return None, f"error: the arguments of {FINISH} are no JSON: {error}"
    problems = errors_of(result, schema)
    if problems:
        return None, f"error: {FINISH} cannot be called so: {'; '.join(problems)}"
    return result, ""
