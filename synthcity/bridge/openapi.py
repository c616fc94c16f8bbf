"""The OpenAPI document of the bridge, made of the registry."""

from __future__ import annotations

from typing import Any

import synthcity
from synthcity.bridge.operation import Operation
from synthcity.bridge.registry import operations

_ERROR = {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}}


def document() -> dict[str, Any]:
    """Return the document; schemas stand where they are used, so that no reference leads anywhere."""
    paths: dict[str, Any] = {}
    for operation in operations().values():
        paths.setdefault(operation.address(), {})[operation.method.lower()] = _described(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "synthcity bridge", "version": synthcity.__version__},
        "paths": paths,
        "components": {"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-API-Key"}}},
    }


def _described(operation: Operation[Any]) -> dict[str, Any]:
    schema = _whole(operation.input_schema)
    required = schema.get("required", [])
    in_body = {} if operation.method == "GET" else {**schema.get("properties", {})}
    parameters = []
    for name, described in schema.get("properties", {}).items():
        if name in operation.in_path or operation.method == "GET":
            where = "path" if name in operation.in_path else "query"
            about = {"name": name, "in": where, "required": name in required, "schema": described}
            parameters.append({**about, "description": described.get("description", "")})
            in_body.pop(name, None)
    told: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.about,
        "parameters": parameters,
        "responses": {
            "202" if operation.long else "200": _json(_whole(operation.output_schema), "what came of it"),
            "4XX": _json(_ERROR, "a mistake, told in one sentence"),
        },
    }
    if operation.method == "POST":
        body = {"type": "object", "properties": in_body, "required": [name for name in required if name in in_body]}
        told["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return told | ({"security": [{"key": []}]} if operation.writes else {})


def _whole(schema: dict[str, Any]) -> dict[str, Any]:
    """Put definitions in the places of references to them."""
    known = schema.get("$defs", {})

    def put(part: Any) -> Any:
        if isinstance(part, list):
            return [put(each) for each in part]
        if not isinstance(part, dict):
            return part
        if (reference := part.get("$ref")) is not None:
            return put(known[reference.removeprefix("#/$defs/")])
        return {name: put(value) for name, value in part.items() if name != "$defs"}

    whole: dict[str, Any] = put(schema)
    return whole


def _json(schema: dict[str, Any], about: str) -> dict[str, Any]:
    return {"description": about, "content": {"application/json": {"schema": schema}}}
