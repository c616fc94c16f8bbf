"""The JSON Schema of a function's arguments, from its type hints and its docstring."""

from __future__ import annotations

import inspect
import re
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any

_PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}


def describe(function: Callable[..., object], skip: str = "") -> tuple[str, dict[str, object]]:
    """Return (description, parameters schema) of a function with a Google-style docstring.

    Understood are str, int, float, bool, None, Any, Literal, unions, lists, mappings of texts, and
    ``Annotated[T, {...}]``, whose mapping is merged into the schema of T, for bounds.

    Args:
        function: what to describe.
        skip: a parameter that the model does not give.

    Raises:
        ValueError: a parameter has no hint, no text under ``Args:`` or a type that is not understood.
    """
    name = getattr(function, "__name__", repr(function))
    summary, texts = _parse_docstring(inspect.getdoc(function) or "")
    if not summary:
        raise ValueError(f"the tool {name} needs a docstring: the model reads it")
    hints = typing.get_type_hints(function, include_extras=True)
    properties, required = {}, []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name == skip:
            continue
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY):
            raise ValueError(f"the tool {name} must take its arguments by name, not {parameter}")
        if parameter.name not in hints or parameter.name not in texts:
            raise ValueError(f"the tool {name} needs a type hint and a line under Args: for {parameter.name!r}")
        schema = _schema(hints[parameter.name], f"{name}({parameter.name})")
        properties[parameter.name] = schema | {"description": texts[parameter.name]}
        if parameter.default is parameter.empty:
            required.append(parameter.name)
        else:
            properties[parameter.name]["default"] = parameter.default
    return summary, {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _schema(hint: object, where: str) -> dict[str, object]:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        return _schema(arguments[0], where) | dict(arguments[1])
    if hint in _PLAIN:
        return {"type": _PLAIN[hint]}
    if hint is Any:
        return {}
    if origin is typing.Literal:
        return {"enum": list(arguments)}
    if origin in (typing.Union, types.UnionType):
        return {"anyOf": [_schema(argument, where) for argument in arguments]}
    if origin in (list, Sequence) and len(arguments) == 1:
        return {"type": "array", "items": _schema(arguments[0], where)}
    if origin in (dict, Mapping) and arguments and arguments[0] is str:
        return {"type": "object", "additionalProperties": _schema(arguments[1], where)}
    raise ValueError(f"{where} has a type that no schema is known for: {hint}")


def _parse_docstring(text: str) -> tuple[str, dict[str, str]]:
    """Return the text before the first section, and the texts of the parameters."""
    head, *sections = re.split(r"^(Args|Returns|Raises|Yields):[ \t]*$", text, flags=re.MULTILINE)
    by_name = dict(zip(sections[::2], sections[1::2], strict=True))
    texts: dict[str, str] = {}
    last = ""
    for line in inspect.cleandoc(by_name.get("Args", "")).splitlines():
        match = re.match(r"(\w+): (.*)", line)
        if match:
            last = match[1]
            texts[last] = match[2].strip()
        elif last and line.strip():
            texts[last] += f" {line.strip()}"
    return " ".join(head.split()), texts
