"""What a model must know of blocks, heads and shared parameters, written from the registry's own description."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_LONGEST_DOC = 300  # characters of a component's docstring, in whole sentences


def describe_components(space: Mapping[str, Any]) -> str:
    """Return text for the plain data of ``Space.describe()``.

    Each component gets its name, the first sentences of its docstring and its typed parameters with range, scale and
    default.
    """
    sections = []
    if space.get("shared"):
        sections.append("Shared parameters:\n" + "\n".join(map(_parameter, space["shared"])))
    for kind in ("blocks", "heads"):
        entries = [_component(name, entry) for name, entry in space.get(kind, {}).items()]
        if entries:
            most = space.get("max_blocks")
            limit = f" (at most {most} in a row, repeats allowed)" if kind == "blocks" and most is not None else ""
            sections.append(f"{kind.capitalize()}{limit}:\n" + "\n".join(entries))
    return "\n\n".join(sections)


def _component(name: str, entry: Mapping[str, Any]) -> str:
    doc = " ".join(entry.get("doc", "").split())
    if len(doc) > _LONGEST_DOC:
        doc = doc[: doc.rfind(". ", 0, _LONGEST_DOC) + 1] or doc[:_LONGEST_DOC]
    return "\n".join([f"- {name}: {doc}".rstrip(": "), *map(_parameter, entry.get("parameters", ()))])


def _parameter(parameter: Mapping[str, Any]) -> str:
    kind = parameter["kind"]
    if kind == "choice":
        values = f"one of {_list(parameter['choices'])}"
    elif kind == "bool":
        values = "true or false"
    else:
        scale = ", logarithmic" if parameter.get("log") else ""
        values = f"{kind} in [{parameter['low']:g}, {parameter['high']:g}]{scale}"
    doc = f"; {parameter['doc']}" if parameter.get("doc") else ""
    return f"    {parameter['name']}: {values}, default {_value(parameter['default'])}{doc}"


def _list(values: Sequence[Any]) -> str:
    return ", ".join(map(_value, values))


def _value(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value).lower() if isinstance(value, bool) else str(value)
