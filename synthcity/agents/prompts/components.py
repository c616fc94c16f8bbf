"""What a model must know of blocks, heads and shared parameters, written from the registry's own description."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

Described = Mapping[str, Any]  # a space, a component or a parameter as ``Space.describe()`` writes them
_LONGEST_DOC = 300  # characters of a component's docstring, in whole sentences
_LONGEST_LINE = 130  # of them where a component gets a line
_COMMON = 3  # components from which an option with one range is told once


def describe_components(space: Described) -> str:
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


def brief_components(space: Described, focus: Collection[str] = ()) -> str:
    """Return the same in a line a component: what it is for, and its parameters with range and default.

    What the parameters mean is told of the shared ones and of the components in ``focus``.
    """
    kinds = {kind: space.get(kind, {}) for kind in ("blocks", "heads")}
    options = [option for table in kinds.values() for entry in table.values() for option in entry.get("parameters", ())]
    counts = Counter(map(_range, options))
    common = {text for text, count in counts.items() if count >= _COMMON}
    sections = ["Options stand in brackets, as name=default (its values; log: logarithmic)."]
    if space.get("shared"):
        sections.append("Shared:\n" + "\n".join(f"- {_range(p)}{_doc(p)}" for p in space["shared"]))
    if common:
        sections.append("Options of many components, named alone below:\n- " + "; ".join(sorted(common)))
    for kind, table in kinds.items():
        lines = [_line(name, entry, common, name in focus) for name, entry in table.items()]
        limit = f" (0 to {space['max_blocks']}, in any order)" if kind == "blocks" and "max_blocks" in space else ""
        sections += [f"{kind.capitalize()}{limit}:\n" + "\n".join(lines)] if lines else []
    return "\n\n".join(sections)


def _line(name: str, entry: Described, common: Collection[str], whole: bool) -> str:
    doc = " ".join(entry.get("doc", "").split())
    doc = doc.partition(". ")[0].rstrip(".")
    doc = doc if len(doc) <= _LONGEST_LINE else doc[: _LONGEST_LINE - 3] + "..."
    parameters = entry.get("parameters", ())
    told = [p["name"] if (text := _range(p)) in common else text for p in parameters]
    lines = [f"- {name}: {doc}. [{'; '.join(told)}]"]
    lines += [f"    {p['name']}{_doc(p)}" for p in parameters if whole and p.get("doc")]
    return "\n".join(lines)


def _range(parameter: Described) -> str:
    kind = parameter["kind"]
    if kind == "choice":
        values = "|".join(map(_value, parameter["choices"]))
    elif kind == "bool":
        values = "true|false"
    else:
        bounds = (float(parameter[end]) if kind == "float" else parameter[end] for end in ("low", "high"))
        values = "..".join(map(str, bounds)) + (" log" if parameter.get("log") else "")
    return f"{parameter['name']}={_value(parameter['default'])} ({values})"


def _doc(parameter: Described) -> str:
    return f": {parameter['doc']}" if parameter.get("doc") else ""


def _component(name: str, entry: Described) -> str:
    doc = " ".join(entry.get("doc", "").split())
    if len(doc) > _LONGEST_DOC:
        doc = doc[: doc.rfind(". ", 0, _LONGEST_DOC) + 1] or doc[:_LONGEST_DOC]
    return "\n".join([f"- {name}: {doc}".rstrip(": "), *map(_parameter, entry.get("parameters", ()))])


def _parameter(parameter: Described) -> str:
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


def _list(values: Sequence[object]) -> str:
    return ", ".join(map(_value, values))


def _value(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value).lower() if isinstance(value, bool) else str(value)
