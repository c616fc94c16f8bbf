"""What is asked of a model and what it answers, as plain values that go through JSON unchanged."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any, NotRequired, TypedDict

Message = Mapping[str, Any]  # in the form of OpenAI's chat completions
_NO_TEXTS = ("tool_calls", "spend", "replayed")  # of a reply


class Labels(TypedDict):
    """What stands beside an exchange in the transcript: its number, who pays, what for, and the request's key."""

    call: int
    account: str
    purpose: str
    key: str
    attempt: NotRequired[int]


@dataclass(frozen=True, kw_only=True)
class Request:
    """One question, whoever will answer it and in whatever dialect.

    Attributes:
        messages: the chat so far.
        schema: JSON Schema that the answer should fit; None for free text.
        tools: definitions of the tools that the model may call.
        temperature: None leaves it to the model.
        max_tokens: of the answer, thinking included.
        models: patterns of model names, best first.
        prompt_version: names the prompt files that the messages were made from.
    """

    messages: tuple[Message, ...]
    schema: Mapping[str, object] | None = None
    tools: tuple[Mapping[str, object], ...] = ()
    temperature: float | None = None
    max_tokens: int = 8192
    models: tuple[str, ...] = ()
    prompt_version: str = ""

    def to_dict(self) -> dict[str, object]:
        """Return plain JSON data, the same for equal requests."""
        return {name: value for name, value in asdict(self).items() if value not in (None, (), "")}

    @cached_property
    def key(self) -> str:
        """SHA-256 of the canonical JSON: equal for equal requests, whichever model answered them."""
        text = json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        # a model may write half a character, which plain UTF-8 refuses
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, kw_only=True)
class ToolCall:
    """A tool that the model wants to be called; ``arguments`` is the text it wrote, JSON or not."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, kw_only=True)
class Spend:
    """What calls cost. ``replayed_usd`` is the part of ``usd`` that a recording stood in for."""

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    reasoning_tokens: int = 0
    usd: float = 0.0
    seconds: float = 0.0
    replayed_usd: float = 0.0

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Spend:
        """Read plain data; TypeError where it is something else, or would give money back."""
        spend = cls(**data)
        for name, value in vars(spend).items():
            if not isinstance(value, int | float) or not (name == "seconds" or 0 <= value < math.inf):
                raise TypeError(f"{name} must be a number from 0 up, got {value!r}")
        return spend

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens

    def __add__(self, other: Spend) -> Spend:
        return Spend(**{name: value + getattr(other, name) for name, value in vars(self).items()})

    def __sub__(self, other: Spend) -> Spend:
        return Spend(**{name: value - getattr(other, name) for name, value in vars(self).items()})


@dataclass(frozen=True, kw_only=True)
class Reply:
    """One answer.

    Attributes:
        text: what it said, its thinking taken out.
        thinking: what it thought aloud.
        tool_calls: what it wants to be called.
        finish_reason: as the server said: "stop", "length", "tool_calls", ...
        model: the model that was asked.
        served_model: the model that says it answered.
        output: how the form of the answer was asked for: "json_schema", "json_object" or "text".
        invocation: the provider's name for this call, for its support.
        spend: what the call cost, failed attempts before it not included.
        replayed: it comes from a recording; nobody was asked.
    """

    text: str
    thinking: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: str = "stop"
    model: str = ""
    served_model: str = ""
    output: str = "text"
    invocation: str = ""
    spend: Spend = Spend()
    replayed: bool = False

    @property
    def truncated(self) -> bool:
        """Whether it ran into ``max_tokens``."""
        return self.finish_reason == "length"

    def to_dict(self) -> dict[str, object]:
        """Return plain JSON data that :meth:`from_dict` reads back."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Reply:
        """Read :meth:`to_dict`'s data back; TypeError or KeyError where it is something else."""
        calls = tuple(ToolCall(**call) for call in data["tool_calls"])
        reply = cls(**{**data, "tool_calls": calls, "spend": Spend.from_dict(data["spend"])})
        texts = [(name, value) for name, value in vars(reply).items() if name not in _NO_TEXTS]
        for name, value in [*texts, *(pair for call in calls for pair in vars(call).items())]:
            if not isinstance(value, str):
                raise TypeError(f"{name} must be text, got {value!r}")
        return reply

    def as_replayed(self) -> Reply:
        """Return this answer as a recording gives it again: charged alike, paid by nobody."""
        return replace(self, replayed=True, spend=replace(self.spend, replayed_usd=self.spend.usd))
