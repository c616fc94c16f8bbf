"""The form of a language model's proposals: a JSON Schema written from the typed space."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypedDict

from synthcity.nets.parameters import Parameter
from synthcity.search.candidates.candidate import Config
from synthcity.search.candidates.space import Space

MAX_PROPOSALS = 4  # in one answer
CATEGORIES = ("training", "size", "block", "head", "combination")
_LONGEST_RATIONALE = 200
Schema = dict[str, object]


class PlannedProposal(TypedDict):
    """One proposal as a model writes it by :func:`proposals_schema`."""

    parent: str | None
    category: str
    config: Config
    rationale: str
    predicted_score: float


def proposals_schema(space: Space, count: int) -> Schema:
    """Return the schema of an answer with 1 to ``count`` proposals.

    Blocks and heads are told apart by their name, a constant in each branch of a ``oneOf``.
    """
    proposal = _object(
        {
            "parent": {"type": ["string", "null"]},
            "category": {"enum": list(CATEGORIES)},
            "config": _config(space),
            "rationale": {"type": "string", "maxLength": _LONGEST_RATIONALE},
            "predicted_score": {"type": "number"},
        }
    )
    return _object({"proposals": {"type": "array", "minItems": 1, "maxItems": count, "items": proposal}})


def _config(space: Space) -> Schema:
    shared = {p.name: _value(p) for p in space.shared if "." not in p.name}
    training = {p.name.partition(".")[2]: _value(p) for p in space.shared if "." in p.name}
    parts = {
        **shared,
        "training": _object(training, required=()),
        "blocks": {"type": "array", "maxItems": space.max_blocks, "items": _one_of(space.blocks)},
        "head": _one_of(space.heads),
    }
    return _object(parts, required=("blocks", "head"))


def _one_of(table: Mapping[str, tuple[Parameter, ...]]) -> Schema:
    return {
        "oneOf": [
            _object({"name": {"const": name}, **{p.name: _value(p) for p in options}}, required=("name",))
            for name, options in table.items()
        ]
    }


def _value(parameter: Parameter) -> Schema:
    if parameter.kind == "bool":
        return {"type": "boolean"}
    if parameter.kind == "choice":
        return {"enum": list(parameter.choices)}
    kind = "integer" if parameter.kind == "int" else "number"
    return {"type": kind, "minimum": parameter.low, "maximum": parameter.high}


def _object(properties: Mapping[str, object], required: Iterable[str] | None = None) -> Schema:
    names = list(properties if required is None else required)
    return {"type": "object", "properties": dict(properties), "required": names, "additionalProperties": False}
