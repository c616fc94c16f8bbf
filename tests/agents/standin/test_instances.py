"""Values made for a schema fit it, and spoilt ones do not."""

from __future__ import annotations

import random
from typing import Any

import jsonschema
import pytest

from synthcity.agents.standin.instances import INJECTION, Maker, broken
from synthcity.search.candidates.contract import proposals_schema
from synthcity.search.candidates.space import Space

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "count": {"type": "integer", "minimum": 3, "maximum": 9, "multipleOf": 3},
        "share": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
        "name": {"type": "string", "minLength": 40, "maxLength": 50},
        "kind": {"enum": ["a", "b"]},
        "fixed": {"const": 7},
        "maybe": {"type": ["string", "null"]},
        "yes": {"type": "boolean"},
        "list": {"type": "array", "items": {"$ref": "#/$defs/item"}, "minItems": 2, "maxItems": 3},
        "either": {"anyOf": [{"type": "null"}, {"type": "integer"}]},
    },
    "required": ["count", "share", "name", "kind", "fixed", "maybe", "yes", "list", "either"],
    "additionalProperties": False,
    "$defs": {"item": {"type": "object", "properties": {"x": {"type": "number"}}, "required": ["x"]}},
}
CHECK = jsonschema.Draft202012Validator(SCHEMA)


def make(seed: int, **options: Any) -> Any:
    return Maker(rng=random.Random(seed), root=SCHEMA, **options).make(SCHEMA)


@pytest.mark.parametrize("seed", range(10))
def test_they_fit(seed: int) -> None:
    CHECK.validate(make(seed))
    assert make(seed) == make(seed)


@pytest.mark.parametrize("seed", range(5))
def test_proposals_of_the_whole_space_fit(seed: int) -> None:
    schema = proposals_schema(Space.from_registry(), 4)
    jsonschema.validate(Maker(rng=random.Random(seed), root=schema).make(schema), schema)


@pytest.mark.parametrize("seed", range(5))
def test_broken_ones_fit_no_more(seed: int) -> None:
    assert not CHECK.is_valid(broken(make(seed)))
    assert broken(7) == {"surprise": 7}
    assert broken({}) == {"surprise": {}}


def test_numbers_may_lie_outside_and_texts_may_give_orders() -> None:
    assert make(0, outside=True)["count"] > 9
    assert make(0, outside=True)["share"] > 1
    assert INJECTION.startswith(make(0, injection=True)["name"])


@pytest.mark.parametrize("seed", range(3))
def test_lists_may_be_empty_or_hold_one_item_twice(seed: int) -> None:
    assert make(seed, lists="empty")["list"] == []
    first, *others = make(seed, lists="duplicates")["list"]
    assert others
    assert all(other == first for other in others)
