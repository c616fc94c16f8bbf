"""How one model wants to be asked: starts from what it says it can do and learns from its refusals."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from synthcity.agents.asking.models import JSON_MODE, STRUCTURED, Model
from synthcity.agents.messages import Message, Request

Output = Literal["json_schema", "json_object", "text"]
_NUMBER = r"\D{0,40}?(\d[\d,_]*)"
# how servers name a limit when they refuse a request for it: of prompt and answer together, and of the answer alone
_CONTEXT = (
    rf"context (?:length|window|size)(?: is| of)?{_NUMBER}",
    rf"n_ctx{_NUMBER}",
    rf"max_(?:new_)?tokens`? must be <={_NUMBER}",
    rf"max(?:imum)?[ _]model[ _]len(?:gth)?{_NUMBER}",
)
_OUTPUT = (
    r"(?:at most|up to|no more than|less than or equal to|<=) (\d[\d,_]*) (?:completion |output |new )?tokens",
    r"> (\d[\d,_]*),? which is the maximum",
    r"max_(?:completion_|new_)?tokens\b.{0,60}?(?:range|between|in) .{0,20}?\[?\d+(?:,| and| to|-) ?(\d[\d,_]*)",
    r"max_(?:completion_|new_)?tokens\b\D{0,60}?(?:must be|should be|cannot exceed|exceeds?)\D{0,40}?(\d[\d,_]*)",
)
_PROMPT = (
    r"(\d[\d,_]*) (?:`?inputs?`? |prompt )tokens",
    r"(\d[\d,_]*) (?:tokens )?(?:from|in|of) the (?:input|prompt|messages)",
    r"prompt (?:has|contains)\D{0,20}?(\d[\d,_]*)",
)
_SHORTEST_ANSWER = 64  # tokens; with less there is no use in asking
_FORMAT_WORDS = ("response_format", "json_schema", "json_object", "structured", "grammar", "guided", "schema")


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """What to leave out of, or spell otherwise in, a request to one model.

    Attributes:
        output: how an answer that fits a schema is asked for.
        temperature: whether it takes one; some reasoning models do not.
        tokens_field: the name it has for the longest answer.
        longest: tokens that an answer may have, as a refusal told; None where none did.
        context: tokens that prompt and answer may have together, likewise.
        prompt_share: tokens of a prompt for each of its bytes, as that refusal counted.
    """

    output: Output = "json_schema"
    temperature: bool = True
    tokens_field: str = "max_tokens"
    longest: int | None = None
    context: int | None = None
    prompt_share: float = 1 / 3

    @classmethod
    def of(cls, model: Model) -> Dialect:
        """Guess from the listed features; unknown ones are tried."""
        if model.can(STRUCTURED) is not False:
            return cls(output="json_schema")
        return cls(output="json_object" if model.can(JSON_MODE) else "text")

    def body(self, model: str, request: Request, max_tokens: int) -> dict[str, object]:
        """Return the JSON body of a chat completion."""
        messages = list(request.messages)
        body: dict[str, object] = {"model": model, "messages": messages, self.tokens_field: max_tokens}
        if self.temperature and request.temperature is not None:
            body["temperature"] = request.temperature
        if request.tools:
            body["tools"] = list(request.tools)
        if request.schema is not None:
            if self.output == "json_schema":
                form = {"name": "answer", "strict": True, "schema": request.schema}
                body["response_format"] = {"type": "json_schema", "json_schema": form}
            else:
                body["messages"] = _with_schema(messages, request.schema)
                if self.output == "json_object":
                    body["response_format"] = {"type": "json_object"}
        return body

    def longest_answer(self, wanted: int, prompt_bytes: int) -> int:
        """Return how many tokens to ask for at most beside a prompt of so many bytes."""
        room = wanted if self.context is None else self.context - int(self.prompt_share * prompt_bytes) - 16
        return max(min(wanted, self.longest or wanted, room), 1)

    def after(self, refusal: str, request: Request, wanted: int, prompt_bytes: int) -> Dialect | None:
        """Return how to ask again after a refusal in these words; None where the dialect is not to blame.

        Args:
            refusal: what the server said.
            request: what it was asked.
            wanted: tokens that an answer would have had without what this dialect learnt.
            prompt_bytes: size of the request's messages.
        """
        words = refusal.lower()
        if (shorter := self._shorter(words, wanted, prompt_bytes)) is not None:
            return shorter
        if self.tokens_field == "max_tokens" and "max_completion_tokens" in words:
            return replace(self, tokens_field="max_completion_tokens")
        if self.temperature and request.temperature is not None and "temperature" in words:
            return replace(self, temperature=False)
        if request.schema is not None and self.output != "text" and any(word in words for word in _FORMAT_WORDS):
            return replace(self, output="json_object" if self.output == "json_schema" else "text")
        return None

    def _shorter(self, words: str, wanted: int, prompt_bytes: int) -> Dialect | None:
        """Return this with the limit that a refusal names, if that makes the answer shorter and leaves one at all."""
        if "token" not in words and "context" not in words and "n_ctx" not in words:
            return None
        output, context, prompt = (_first(patterns, words) for patterns in (_OUTPUT, _CONTEXT, _PROMPT))
        learnt = self
        if context is not None:
            share = self.prompt_share if not prompt or prompt >= context else 1.02 * prompt / max(prompt_bytes, 1)
            learnt = replace(learnt, context=context, prompt_share=share)
        elif output is not None:
            learnt = replace(learnt, longest=output)
        before, after = (each.longest_answer(wanted, prompt_bytes) for each in (self, learnt))
        return learnt if _SHORTEST_ANSWER <= after < before else None


def _first(patterns: tuple[str, ...], words: str) -> int | None:
    found = (re.search(pattern, words) for pattern in patterns)
    number = next((match[1].replace(",", "").replace("_", "") for match in found if match), None)
    return int(number) if number is not None and len(number) < 10 else None


def _with_schema(messages: list[Message], schema: Mapping[str, object]) -> list[Message]:
    """Tell the schema in words, at the end of the last message where that is the user's."""
    text = f"Answer with one JSON value and nothing else. It must fit this JSON Schema:\n{json.dumps(schema)}"
    last = messages[-1] if messages else {}
    if last.get("role") == "user" and isinstance(last.get("content"), str):
        return [*messages[:-1], {**last, "content": f"{last['content']}\n\n{text}"}]
    return [*messages, {"role": "user", "content": text}]
