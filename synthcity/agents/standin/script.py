"""What the stand-in answers, question by question.

A script is JSON: a list of behaviours, or an object with some of the keys

* ``replies``: behaviours in the order of the questions;
* ``mix``: ``{"seed": 1, "weights": {"good": 6, "fence": 1, "cold": 1}}``, drawn anew for each question after those;
  without it the rest is "good";
* ``models``: rows of the model list, in place of the default three;
* ``listing``: "ok", "no_features" and "no_prices" (what they leave out), "missing" (404), "down" (503);
* ``auth``: whether a well-formed key is demanded (default true).

A behaviour is a name or an object ``{"do": name, ...options}``. Names and their options:

====================  =======================================================================================
good                  ``content`` (text, or a value to be written as JSON), ``tool_calls`` (a list of
                      ``{"name", "arguments"}``), ``reasoning``, ``finish_reason``, ``model`` (that says it
                      answered), ``usage`` (null: none), ``delay`` (seconds). They go with all that answers.
think, think_unopened the answer after ``<think>...</think>``, or after the closing tag alone
fence, prose          the answer in a code fence, or within chatter
break_schema          JSON that does not fit the schema
broken_json           JSON that ends in the middle; ``length`` says so by its finish reason
nan                   JSON with NaN for a number
out_of_range, duplicates, empty_list, injection    the schema's numbers, lists and texts gone wrong
plain                 text without JSON and without a tool call; ``empty`` says nothing at all
unknown_tool, bad_arguments    a call of a tool that is none, or with arguments that are no JSON
truncate              a stream ends after some chunks with a bare error line; a plain answer in mid-JSON
not_json              a page of HTML with status 200; ``raw``: any ``body`` as JSON with status 200
hang, drip            silence for ``seconds``, or blanks for so long and no answer
disconnect            the connection breaks within the answer
quota                 402; the quota is reset in ``seconds``; ``broke``: 402 without a time
overload, maintenance, spam    429; ``retry_after`` adds the header
cold                  503 for a model without instances; ``error``: 500
unauthorized, not_found, bad_request, no_format, no_temperature    401, 404, 400 and two forms refused with 400
status                any ``status`` with any ``detail`` and ``headers``
====================  =======================================================================================
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Required, TypedDict, cast

from synthcity.agents.messages import Message
from synthcity.agents.standin.instances import Schema
from synthcity.errors import ConfigError, unknown_name

ModelRow = dict[str, Any]  # as Chutes lists models; a script may leave out or spoil whatever is in it


class ScriptedCall(TypedDict, total=False):
    """A call of a tool as a script writes it."""

    name: Required[str]
    arguments: object


class Behaviour(TypedDict, total=False):
    """What to do with one question: a name and its options, told above."""

    do: Required[str]
    content: object
    tool_calls: list[ScriptedCall]
    reasoning: str
    finish_reason: str
    model: str
    usage: object
    delay: float
    seconds: float
    body: object
    status: int
    detail: object
    headers: Mapping[str, str]
    retry_after: float
    reset: str


class FunctionForm(TypedDict, total=False):
    """What a question says of one tool."""

    name: Required[str]
    parameters: Schema


class ToolForm(TypedDict):
    """One entry of a question's ``tools``."""

    function: FunctionForm


class NamedSchema(TypedDict):
    """The schema within a ``response_format``."""

    schema: Schema


class ResponseForm(TypedDict, total=False):
    """How a question wants its answer written."""

    type: str
    json_schema: NamedSchema


class ChatBody(TypedDict, total=False):
    """The body of a chat completion, as far as the stand-in reads it."""

    model: Required[str]
    messages: Required[list[Message]]
    tools: list[ToolForm]
    response_format: ResponseForm
    max_tokens: int
    max_completion_tokens: int
    stream: bool


class Asked(TypedDict):
    """What the stand-in notes of one request, the key left out."""

    path: str
    headers: list[str]
    body: ChatBody | None


Policy = Callable[[ChatBody, int], "Behaviour | str"]

ANSWERS = (
    "good", "think", "think_unopened", "fence", "prose", "break_schema", "broken_json", "length", "nan",
    "out_of_range", "duplicates", "empty_list", "injection", "plain", "empty", "unknown_tool", "bad_arguments",
)  # fmt: skip
BROKEN = ("truncate", "not_json", "raw", "hang", "drip", "disconnect")
STATUSES: dict[str, tuple[int, object]] = {
    "quota": (402, {"message": "Quota exceeded and account balance is $0.0, please pay with fiat or send tao"}),
    "broke": (402, {"message": "Quota exceeded and account balance is $0.0, please pay with fiat or send tao"}),
    "overload": (429, "infra_overload"),
    "maintenance": (429, "model is under maintenance"),
    "spam": (429, "Stop spamming this prompt, please..."),
    "cold": (503, "No instances available (yet) for chute_id=4fa9a64c"),
    "error": (500, "No result returned from upstream"),
    "unauthorized": (401, "Invalid token or user not found"),
    "not_found": (404, "No matching chute found!"),
    "bad_request": (400, "bad_request"),
    "no_format": (400, "response_format of this type is not supported by this engine"),
    "no_temperature": (400, "temperature is not supported with this model"),
    "status": (500, ""),
}
NAMES = (*ANSWERS, *BROKEN, *STATUSES)
LISTINGS = ("ok", "no_features", "no_prices", "missing", "down")

MODELS: list[ModelRow] = [
    {
        "id": name,
        "object": "model",
        "created": 1_790_000_000,
        "owned_by": "sglang",
        "root": name,
        "max_model_len": length,
        "context_length": length,
        "max_output_length": 65_536,
        "input_modalities": ["text"],
        "output_modalities": ["text"],
        "supported_features": features,
        "quantization": "fp8",
        "pricing": {"prompt": price, "completion": 4 * price},
        "price": {"input": {"usd": price, "tao": 0.0008}, "output": {"usd": 4 * price, "tao": 0.003}},
    }
    for name, length, price, features in (
        ("standin/General-TEE", 202_752, 0.3, ["json_mode", "structured_outputs", "tools", "reasoning"]),
        ("standin/Coder-TEE", 131_072, 0.2, ["json_mode", "tools"]),
        ("standin/Small", 32_768, 0.02, []),
    )
]


@dataclass(kw_only=True)
class Script:
    """A parsed script; ``policy`` answers first where it is given."""

    replies: list[Behaviour] = field(default_factory=list)
    seed: int = 0
    weights: Mapping[str, float] = field(default_factory=dict)
    models: list[ModelRow] = field(default_factory=lambda: MODELS)
    listing: str = "ok"
    auth: bool = True
    policy: Policy | None = None

    @classmethod
    def parse(cls, data: Any, policy: Policy | None = None) -> Script:
        """Read a script.

        Raises:
            ConfigError: a key or behaviour is none.
        """
        data = {"replies": data} if isinstance(data, list) else dict(data)
        for key in data:
            if key not in (known := ("replies", "mix", "models", "listing", "auth")):
                raise ConfigError(f"stand-in script: {unknown_name('key', key, known)}")
        mix = data.get("mix", {})
        for name in mix.get("weights", {}):
            _named(name)
        if data.get("listing", "ok") not in LISTINGS:
            raise ConfigError(f"stand-in script: {unknown_name('listing', data['listing'], LISTINGS)}")
        return cls(
            replies=[_named(reply) for reply in data.get("replies", [])],
            seed=mix.get("seed", 0),
            weights=mix.get("weights", {}),
            models=data.get("models", MODELS),
            listing=data.get("listing", "ok"),
            auth=data.get("auth", True),
            policy=policy,
        )

    def rng(self, index: int) -> random.Random:
        """Return the source of chance of question ``index``: the same in every run."""
        return random.Random(f"{self.seed}:{index}")

    def behaviour(self, body: ChatBody, index: int) -> Behaviour:
        """Return what to do with question ``index``, counted from 0."""
        if self.policy is not None:
            return _named(self.policy(body, index))
        if index < len(self.replies):
            return self.replies[index]
        if not self.weights:
            return {"do": "good"}
        return {"do": self.rng(index).choices(list(self.weights), list(self.weights.values()))[0]}

    def rows(self) -> list[ModelRow]:
        """Return the rows of the model list."""
        left_out = {"no_features": ("supported_features",), "no_prices": ("pricing", "price")}.get(self.listing, ())
        return [{key: value for key, value in row.items() if key not in left_out} for row in self.models]


def _named(reply: Any) -> Behaviour:
    behaviour = cast(Behaviour, {"do": reply} if isinstance(reply, str) else {"do": "good"} | dict(reply))
    if behaviour["do"] not in NAMES:
        raise ConfigError(f"stand-in script: {unknown_name('behaviour', behaviour['do'], NAMES)}")
    return behaviour
