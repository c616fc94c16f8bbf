"""The OpenAPI document."""

from __future__ import annotations

import json

from jsonschema import Draft202012Validator

from synthcity.bridge.openapi import document
from synthcity.bridge.registry import operations
from tests.bridge.conftest import Running


def test_every_operation_stands_in_it_with_schemas_that_hold() -> None:
    told = document()
    found = {one["operationId"]: one for methods in told["paths"].values() for one in methods.values()}
    assert set(found) == set(operations())
    assert "$ref" not in json.dumps(told)
    for name, one in found.items():
        for answer in one["responses"].values():
            Draft202012Validator.check_schema(answer["content"]["application/json"]["schema"])
        assert ("requestBody" in one) == (operations()[name].method == "POST")
        assert ("security" in one) == operations()[name].writes
        fields = {each["name"] for each in one["parameters"]}
        if "requestBody" in one:
            fields |= set(one["requestBody"]["content"]["application/json"]["schema"]["properties"])
        assert fields == set(operations()[name].takes.model_fields)


def test_it_is_served(bridge: Running) -> None:
    with bridge.client(key=False) as client:
        assert client.get("/openapi.json").json() == json.loads(json.dumps(document()))
