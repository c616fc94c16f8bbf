"""JSON that fits a schema, or an error that says why not: one question and at most one repair."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from synthcity.agents.asking.answers import check
from synthcity.agents.client import LLMClient
from synthcity.agents.messages import Message, Reply
from synthcity.errors import LLMAnswerError

_LONGEST_QUOTE = 8_000  # characters of a wrong answer that are sent back with what is wrong


@dataclass(frozen=True, kw_only=True)
class Structured:
    """A value that fits, the reply that it was in, and whether it took a repair."""

    value: Any
    reply: Reply
    repaired: bool


def complete_json(
    client: LLMClient,
    messages: Sequence[Message],
    schema: Mapping[str, object],
    *,
    account: str,
    purpose: str = "ask",
    temperature: float | None = None,
    max_tokens: int | None = None,
    models: tuple[str, ...] = (),
    prompt_version: str = "",
) -> Structured:
    """Ask for a JSON value that fits ``schema`` (JSON Schema, draft 2020-12).

    An answer that does not fit is sent back once with what is wrong with it; one that was cut off gets twice the
    tokens. Both calls are charged to ``account``; the second stands in the transcript as ``<purpose>:repair``.

    Raises:
        LLMAnswerError: the repaired answer does not fit either.
        LLMError: one of the two calls failed (see ``LLMClient.complete``).
        ValueError: ``schema`` is none.
    """
    from jsonschema import Draft202012Validator, SchemaError

    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise ValueError(f"this is no JSON Schema: {error.message}") from error
    longest = client.config.max_tokens if max_tokens is None else max_tokens
    asked: list[Message] = list(messages)
    for repaired in (False, True):
        reply = client.complete(
            asked,
            account=account,
            purpose=f"{purpose}:repair" if repaired else purpose,
            schema=schema,
            temperature=temperature,
            max_tokens=longest,
            models=models,
            prompt_version=prompt_version,
        )
        # some servers put the whole answer of a thinking model where its thoughts belong
        value, errors = check(reply.text or reply.thinking, schema)
        if not errors:
            return Structured(value=value, reply=reply, repaired=repaired)
        if reply.truncated:
            errors.append(f"it was cut off after {reply.spend.completion_tokens} tokens: be brief")
            longest *= 2
        quote = reply.text[:_LONGEST_QUOTE] or "(nothing)"
        asked += [
            {"role": "assistant", "content": quote},
            {"role": "user", "content": _complaint(errors, reply, schema)},
        ]
    raise LLMAnswerError(f"the answer of {reply.model} does not fit, its repair included: {'; '.join(errors)}")


def _complaint(errors: list[str], reply: Reply, schema: Mapping[str, object]) -> str:
    lines = ["Your answer cannot be used:", *(f"- {error}" for error in errors)]
    lines.append("Answer again with the whole JSON value, corrected, and nothing else.")
    if reply.output == "json_schema":  # otherwise the schema is told with every question
        lines.append(f"It must fit this JSON Schema:\n{json.dumps(schema)}")
    return "\n".join(lines)
