"""YAML that people write: nothing is read in silence as something else, and every mistake has its line.

Scalars are those of YAML 1.2: ``1e-3`` is a number, ``010`` is ten, ``1:30``, ``yes`` and ``2025-02-30`` are text, and
what is to be a time or a duration is read by whoever knows the key. A key that stands twice in a section is an error.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from synthcity.errors import ConfigError
from synthcity.textfile import read_text

_MOST_NODES = 100_000  # with every alias written out
_TAG = "tag:yaml.org,2002:"
_SCALARS = {
    "null": (r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    "bool": (r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    "int": (r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    "float": (
        r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        list("-+0123456789."),
    ),
    "merge": (r"<<", ["<"]),
}
# kind -> the keys that only such a file has at its top, and what reads it
KINDS = {
    "sweep file": ({"competition", "data", "search", "llm"}, "`synthcity search FILE` reads it"),
    "pipeline file": ({"sweeps", "rounds", "retries", "deploy"}, "`synthcity pipeline FILE` reads it"),
    "service file": ({"service", "cluster"}, "`synthcity serve --config FILE` reads it"),
    "cluster file": ({"head", "nodes", "limits"}, "`synthcity cluster up FILE` reads it"),
    "research file": ({"prices", "folds", "claims"}, "`synthcity research --config FILE` reads it"),
    "network": ({"blocks", "head", "d_model"}, "put it under search.candidates of a sweep file"),
}


@dataclass(frozen=True, kw_only=True)
class Document:
    """A YAML file: its plain data, and the line of each dotted key; without a ``path`` there is no file."""

    path: str
    data: object
    lines: Mapping[str, int] = field(default_factory=dict)

    @contextmanager
    def located(self, settings: Iterable[str] = ()) -> Iterator[None]:
        """Put file and line before the text of a ConfigError; keys that ``settings`` set stand in no line."""
        try:
            yield
        except ConfigError as error:
            placed = self.placed(error, settings)
            if placed is error:
                raise
            raise placed from error

    def placed(self, error: ConfigError, settings: Iterable[str] = ()) -> ConfigError:
        """Return an error with its file and line before its text; as it is where it stands in no line."""
        set_elsewhere = any(_within(error.key, setting.partition("=")[0].strip()) for setting in settings)
        if not self.path or (error.key and set_elsewhere):
            return error
        line = next((self.lines[key] for key in _ancestors(error.key) if key in self.lines), None)
        return ConfigError(f"{self.path}{'' if line is None else f', line {line}'}: {error}")


def read_yaml(path: Path | str, kind: str) -> Document:
    """Read a file that is to be of ``kind``, one of ``KINDS``.

    Raises:
        ConfigError: it cannot be read, is no YAML, or is of another kind.
    """
    text = read_text(path, f"the {kind}")
    data, lines = _parsed(text, f"the {kind} {str(path)!r}", " at line {}")
    counts = {name: len(keys & data.keys()) if isinstance(data, Mapping) else 0 for name, (keys, _) in KINDS.items()}
    likely = max(counts, key=lambda name: counts[name])
    if counts[likely] and not counts[kind]:
        raise ConfigError(f"{str(path)!r} is a {likely}, not a {kind}: {KINDS[likely][1].replace('FILE', str(path))}")
    return Document(path=str(path), data=data, lines=lines)


def parse_yaml(text: str, where: str) -> Any:
    """Return the plain data of a text; ``where`` is what it stands in.

    Raises:
        ConfigError: it is no YAML.
    """
    return _parsed(text, where, " at line {}" if "\n" in text else "")[0]


def write_yaml(data: Mapping[str, object]) -> str:
    """Write plain data so that :func:`parse_yaml` reads it back unchanged."""
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


def apply_settings(data: Mapping[str, object], settings: Iterable[str]) -> dict[str, object]:
    """Return ``data`` with each ``dotted.key=value`` applied; values are read as YAML.

    Raises:
        ConfigError: a setting has no ``=``, is no YAML or goes through a key that is no section.
    """
    result: dict[str, Any] = _copy(data)
    for setting in settings:
        name, separator, text = setting.partition("=")
        name = name.strip()
        if not separator or not all(part.strip() for part in name.split(".")):
            raise ConfigError(f"--set takes key=value, got {setting!r}")
        value = parse_yaml(text, f"--set {name}")
        *sections, last = name.split(".")
        target = result
        for section in sections:
            if target.get(section) is None:
                target[section] = {}
            target = target[section]
            if not isinstance(target, dict):
                raise ConfigError(f"--set {name}: {section!r} holds a value, not keys")
        target[last] = value
    return result


def write_setting(key: str, value: object) -> str:
    """Return ``key=value`` so that :func:`apply_settings` reads this very value, whatever signs of YAML it holds."""
    return f"{key}={json.dumps(value, ensure_ascii=False)}"


def _copy(data: object) -> Any:
    return {k: _copy(v) for k, v in data.items()} if isinstance(data, Mapping) else data


def _within(key: str, section: str) -> bool:
    return key == section or key.startswith((f"{section}.", f"{section}["))


def _ancestors(key: str) -> Iterator[str]:
    while key:
        yield key
        key = key[: max(key.rfind("."), key.rfind("["), 0)]


def _parsed(text: str, named: str, at_line: str) -> tuple[object, dict[str, int]]:
    loader = None
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            return None, {}
        _check_size(node, {})
        return loader.construct_document(node), dict(_lines(node, ""))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        where = "" if mark is None else at_line.format(mark.line + 1)
        reason = getattr(error, "problem", None) or getattr(error, "reason", None)
        raise ConfigError(f"{named} is no valid YAML{where}{f': {reason}' if reason else ''}") from None
    except RecursionError:
        raise ConfigError(f"{named} is no valid YAML: it is nested too deeply") from None
    finally:
        if loader is not None:
            loader.dispose()


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict[str, object] = {}  # noqa: RUF012 (as PyYAML declares it)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> object:
        try:
            return super().construct_object(node, deep)
        except (ValueError, OverflowError, TypeError, AttributeError, KeyError) as error:  # of a forced type
            raise _fault(f"{_shown(node)} is no {node.tag.removeprefix(_TAG)}", node) from error

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[object, object]:
        seen: dict[str, int] = {}
        for key_node, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            if not isinstance(key_node, yaml.ScalarNode):
                raise _fault("a key must be text", key_node)
            if key_node.value in seen:
                first = f"first at line {seen[key_node.value]}"
                raise _fault(f"the key {_shown(key_node)} stands twice in its section, {first}", key_node)
            seen[key_node.value] = key_node.start_mark.line + 1
        return super().construct_mapping(node, deep)

    def construct_int(self, node: yaml.ScalarNode) -> int:
        text = self.construct_scalar(node)
        base = {"0o": 8, "0x": 16}.get(text[:2], 10)
        return int(text, base)


class _Dumper(yaml.SafeDumper):
    yaml_implicit_resolvers: dict[str, object] = {}  # noqa: RUF012

    def ignore_aliases(self, data: object) -> bool:
        return True


for _name, (_pattern, _first) in _SCALARS.items():
    for _class in (_Loader, _Dumper):
        _class.add_implicit_resolver(f"{_TAG}{_name}", re.compile(f"^(?:{_pattern})$"), _first)
_Loader.add_constructor(f"{_TAG}int", _Loader.construct_int)


def _fault(text: str, node: yaml.Node) -> yaml.YAMLError:
    return yaml.constructor.ConstructorError(None, None, text, node.start_mark)


def _shown(node: yaml.Node) -> str:
    text = str(node.value)
    return repr(text if len(text) <= 40 else f"{text[:40]}...")


def _check_size(node: yaml.Node, known: dict[int, int]) -> int:
    """Return how many nodes there are with every alias written out; a list that holds itself has no end."""
    if known.get(id(node)) == 0:
        raise _fault("it holds itself, by an alias", node)
    if id(node) not in known:
        known[id(node)] = 0
        total = 1
        for child in _children(node):
            total += _check_size(child, known)
            if total > _MOST_NODES:
                raise _fault("its aliases make it too large", node)
        known[id(node)] = total
    return known[id(node)]


def _children(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return node.value if isinstance(node, yaml.SequenceNode) else []


def _lines(node: yaml.Node, path: str) -> Iterator[tuple[str, int]]:
    """Yield the line of each dotted key and each item of a list."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            name = f"{path}.{key.value}" if path else str(key.value)
            yield name, key.start_mark.line + 1
            yield from _lines(value, name)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            yield f"{path}[{number}]", value.start_mark.line + 1
            yield from _lines(value, f"{path}[{number}]")
