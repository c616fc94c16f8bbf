"""The record of an operation, and how what is given is read."""

from __future__ import annotations

import json

import pytest
from pydantic import Field

from synthcity.bridge.operation import Answer, Asked, Input, Operation, Refused
from synthcity.bridge.place import Place
from synthcity.bridge.registry import operations
from synthcity.errors import ConfigError


class Given(Input):
    id: str = Field(pattern="^[a-z]+$")
    limit: int = Field(5, ge=1, le=10)
    deep: bool = False


def _act(asked: Asked[Given]) -> Answer:
    return {"id": asked.given.id, "limit": asked.given.limit, "deep": asked.given.deep, "bot": asked.bot}


ONE = Operation(name="one", about="One.", route="/one/{id}", takes=Given, gives=dict, act=_act)


def test_what_is_given_is_checked_and_done(place: Place) -> None:
    assert ONE.do({"id": "a", "limit": 3}, place, "b") == {"id": "a", "limit": 3, "deep": False, "bot": "b"}
    assert ONE.do({"id": "a", "limit": "3", "deep": "true"}, place, "b", are_texts=True)["deep"] is True


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "one needs id"),
        ({"id": "A"}, "id must match pattern '^[a-z]+$', got 'A'"),
        ({"id": "a", "limit": 11}, "limit must be less than or equal to 10, got 11"),
        ({"id": "a", "limit": 10**200}, "limit must be less than or equal to 10, got a number without end"),
        ({"id": "a", "limit": True}, "limit must be a valid integer, got True"),
        ({"id": "a", "limmit": 3}, "unknown input of one 'limmit'; did you mean 'limit'?"),
        ({"id": "a" * 99 + "\ud800"}, "id must be a valid string"),
        ([], "one takes a JSON object of names and values, got []"),
    ],
)
def test_what_is_wrong_is_told_in_one_sentence(given: object, sentence: str) -> None:
    with pytest.raises(ConfigError) as told:
        ONE.read(given)
    assert sentence in str(told.value)
    assert str(told.value).isascii()


def test_the_method_follows_from_what_it_does() -> None:
    assert ONE.method == "GET"
    assert operations()["stop"].method == "POST"
    assert (ONE.in_path, ONE.address(), ONE.address(id="a")) == (["id"], "/one/{id}", "/one/a")


@pytest.mark.parametrize(("status", "code"), [(400, 2), (401, 2), (404, 3), (409, 2), (429, 3), (503, 3)])
def test_what_is_refused_has_an_exit_code(status: int, code: int) -> None:
    assert Refused("no", status).exit_code == code


@pytest.mark.parametrize("name", sorted(operations()))
def test_schemas_are_json_and_describe_every_input(name: str) -> None:
    operation = operations()[name]
    json.dumps([operation.input_schema, operation.output_schema])
    assert operation.input_schema["additionalProperties"] is False
    assert operation.output_schema["type"] == "object"
    for field, described in operation.input_schema.get("properties", {}).items():
        assert described.get("description"), f"{name}.{field} has no description"
