"""How one model wants to be asked: starts from what it says it can do and learns from its refusals."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from synthcity.agents.messages import Message, Request
from synthcity.agents.models import JSON_MODE, STRUCTURED, Model

Output = Literal["json_schema", "json_object", "text"]
_FORMAT_WORDS = ("response_format", "json_schema", "json_object", "structured", "grammar", "guided", "schema")


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """What to leave out of, or spell otherwise in, a request to one model.

    Attributes:
        output: how an answer that fits a schema is asked for.
        temperature: whether it takes one; some reasoning models do not.
        tokens_field: the name it has for the longest answer.
    """

    output: Output = "json_schema"
    temperature: bool = True
    tokens_field: str = "max_tokens"

    @classmethod
    def of(cls, model: Model) -> Dialect:
        """Guess from the listed features; unknown ones are tried."""
        if model.can(STRUCTURED) is not False:
            return cls(output="json_schema")
        return cls(output="json_object" if model.can(JSON_MODE) else "text")

    def body(self, model: str, request: Request, max_tokens: int) -> dict[str, Any]:
        """Return the JSON body of a chat completion."""
        body: dict[str, Any] = {"model": model, "messages": list(request.messages), self.tokens_field: max_tokens}
        if self.temperature and request.temperature is not None:
            body["temperature"] = request.temperature
        if request.tools:
            body["tools"] = list(request.tools)
        if request.schema is not None:
            if self.output == "json_schema":
                form = {"name": "answer", "strict": True, "schema": request.schema}
                body["response_format"] = {"type": "json_schema", "json_schema": form}
            else:
                body["messages"] = _with_schema(body["messages"], request.schema)
                if self.output == "json_object":
                    body["response_format"] = {"type": "json_object"}
        return body

    def after(self, refusal: str, request: Request) -> Dialect | None:
        """Return how to ask again after a refusal in these words; None where the dialect is not to blame."""
        words = refusal.lower()
        if self.tokens_field == "max_tokens" and "max_completion_tokens" in words:
            return replace(self, tokens_field="max_completion_tokens")
        if self.temperature and request.temperature is not None and "temperature" in words:
            return replace(self, temperature=False)
        if request.schema is not None and self.output != "text" and any(word in words for word in _FORMAT_WORDS):
            return replace(self, output="json_object" if self.output == "json_schema" else "text")
        return None


def _with_schema(messages: list[Message], schema: Mapping[str, Any]) -> list[Message]:
    """Tell the schema in words, at the end of the last message where that is the user's."""
    text = f"Answer with one JSON value and nothing else. It must fit this JSON Schema:\n{json.dumps(schema)}"
    last = messages[-1] if messages else {}
    if last.get("role") == "user" and isinstance(last.get("content"), str):
        return [*messages[:-1], {**last, "content": f"{last['content']}\n\n{text}"}]
    return [*messages, {"role": "user", "content": text}]
