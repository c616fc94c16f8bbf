"""From a plain mapping to frozen dataclasses: every key known, typed and in range, or one clear sentence.

A config class is a keyword-only frozen dataclass whose fields are made by :func:`key`. Nested dataclasses,
``tuple[T, ...]``, ``Mapping[str, T]`` and ``T | None`` are understood. Errors name the full dotted key.
"""

from __future__ import annotations

import dataclasses
import datetime
import difflib
import re
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import yaml

from synthcity.errors import ConfigError, unknown_name

T = TypeVar("T")
_UNITS = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_NAMES = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}


def key(
    default: Any = dataclasses.MISSING,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
    parse: Callable[[Any], Any] | None = None,
) -> Any:
    """Declare a config field with its default, range, choices or own parser (which raises ValueError)."""
    metadata = {"low": low, "high": high, "choices": choices, "parse": parse}
    return dataclasses.field(default=default, metadata=metadata)


def seconds(value: Any) -> float:
    """Read a duration: a number of seconds or text such as "90s", "20m", "11h", "2d"."""
    if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
        return float(value)
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(s|min|m|h|d)\s*", str(value))
    if not match or float(match[1]) <= 0:
        raise ValueError("a positive duration such as 90s, 20m, 11h or 2d")
    return float(match[1]) * _UNITS[match[2]]


def build(cls: type[T], data: object) -> T:
    """Build ``cls`` from nested mappings.

    Raises:
        ConfigError: a key is unknown, missing, of the wrong type or out of range.
    """
    return _dataclass(cls, data, "", tuple(dotted_keys(cls)))


def dotted_keys(cls: Any, prefix: str = "") -> list[str]:
    """All keys of ``cls`` with their full dotted names, sections included."""
    keys = []
    hints = typing.get_type_hints(cls)
    for field in dataclasses.fields(cls):
        keys.append(prefix + field.name)
        inner = hints[field.name]
        if dataclasses.is_dataclass(inner):
            section = f"{prefix}{field.name}."
            if field.metadata.get("parse"):  # reads its values whole, so their parts are no keys
                keys += [section + entry.name for entry in dataclasses.fields(inner)]
            else:
                keys += dotted_keys(typing.cast(type, inner), section)
    return keys


def _unknown_key(name: str, valid: Iterable[str]) -> str:
    """Name the nearest key: spelt alike in full, else alike in its last part, as when its section was left out."""
    keys = list(valid)
    by_last = {key.rpartition(".")[2]: key for key in reversed(keys)}
    near = difflib.get_close_matches(name, keys, n=1, cutoff=0.8)
    near += [by_last[last] for last in difflib.get_close_matches(name.rpartition(".")[2], by_last, n=1)]
    return f"unknown key {name!r}; did you mean {near[0]!r}?" if near else unknown_name("key", name, keys)


def apply_settings(data: Mapping[str, Any], settings: Iterable[str]) -> dict[str, Any]:
    """Return ``data`` with each ``dotted.key=value`` applied; values are read as YAML.

    Raises:
        ConfigError: a setting has no ``=``, is no YAML or goes through a key that is no section.
    """
    result: dict[str, Any] = _copy(data)
    for setting in settings:
        name, separator, text = setting.partition("=")
        if not separator or not name.strip():
            raise ConfigError(f"--set takes key=value, got {setting!r}")
        try:
            value = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise ConfigError(f"--set {name}: {text!r} is no YAML value") from error
        *sections, last = name.strip().split(".")
        target = result
        for section in sections:
            if target.get(section) is None:
                target[section] = {}
            target = target[section]
            if not isinstance(target, dict):
                raise ConfigError(f"--set {name}: {section!r} holds a value, not keys")
        target[last] = value
    return result


def _copy(data: Any) -> Any:
    return {k: _copy(v) for k, v in data.items()} if isinstance(data, Mapping) else data


def _dataclass(cls: type[T], data: object, path: str, valid: tuple[str, ...]) -> T:
    if not isinstance(data, Mapping):
        raise ConfigError(f"{path.rstrip('.') or 'the file'} must hold keys and values, got {data!r}")
    fields = {field.name: field for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
    for name in data:
        if name not in fields:
            near = [k for k in valid if k.startswith(path)] if path else valid
            raise ConfigError(_unknown_key(f"{path}{name}", near))
    hints = typing.get_type_hints(cls)
    values = {}
    for name, field in fields.items():
        if name in data:
            values[name] = _value(data[name], hints[name], field.metadata, path + name, valid)
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise ConfigError(f"the key {path}{name} is missing and has no default")
    return cls(**values)


def _value(value: Any, hint: Any, metadata: Mapping[str, Any], path: str, valid: tuple[str, ...]) -> Any:
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        if value is None:
            return None
        hint = next(arm for arm in typing.get_args(hint) if arm is not type(None))
    if metadata.get("parse"):
        try:
            return metadata["parse"](value)
        except ValueError as error:
            raise ConfigError(f"{path} must be {error}, got {value!r}") from error
    if dataclasses.is_dataclass(hint):
        return _dataclass(typing.cast(type, hint), value, path + ".", valid)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise ConfigError(f"{path} must be a list, got {value!r}")
        return tuple(_value(v, arguments[0], {}, f"{path}[{i}]", valid) for i, v in enumerate(value))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        if not isinstance(value, Mapping):
            raise ConfigError(f"{path} must hold keys and values, got {value!r}")
        item = arguments[1]
        inner = dotted_keys(item) if dataclasses.is_dataclass(item) and isinstance(item, type) else []
        return {
            str(k): _value(v, item, {}, f"{path}.{k}", tuple(f"{path}.{k}.{i}" for i in inner))
            for k, v in value.items()
        }
    return _scalar(value, hint, metadata, path)


def _scalar(value: Any, hint: type, metadata: Mapping[str, Any], path: str) -> Any:
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if hint is str and isinstance(value, datetime.date):  # YAML reads an unquoted date as one
        value = value.isoformat()
    if not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
        raise ConfigError(f"{path} must be {_NAMES[hint]}, got {value!r}")
    choices, low, high = metadata.get("choices"), metadata.get("low"), metadata.get("high")
    if choices and value not in choices:
        raise ConfigError(f"{path}: {unknown_name('value', value, choices)}")
    if low is not None and not value >= low:
        raise ConfigError(f"{path} must be at least {low:g}, got {value!r}")
    if high is not None and not value <= high:
        raise ConfigError(f"{path} must be at most {high:g}, got {value!r}")
    return value
