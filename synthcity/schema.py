"""From plain data to frozen dataclasses and back: every key known, typed and in range, or one clear sentence.

A config class is a keyword-only frozen dataclass; :func:`key` gives a field its range, choices or parser. Nested
dataclasses, ``tuple[T, ...]``, ``Mapping[str, T]``, ``Literal`` and ``T | None`` are understood; ranges and choices of
a sequence or mapping hold for its items. Errors name the full dotted key and carry it as ``ConfigError.key``.
"""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
import functools
import math
import os
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any, TypeVar

from synthcity.durations import parse_duration, write_duration
from synthcity.errors import ConfigError, unknown_name

T = TypeVar("T")
_Metadata = Mapping[str, Any]  # what ``key`` has put beside a field
MAX_SEED = 2**63 - 1  # whatever draws numbers takes as much
_NAMES = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}
_LONGEST = 80  # characters of a wrong value that are shown
# where mistakes are gathered; None where the first one is raised
_GATHERED: ContextVar[list[ConfigError] | None] = ContextVar("gathered", default=None)


def key(
    default: object = dataclasses.MISSING,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
    parse: Callable[[Any], object] | None = None,
    write: Callable[[Any], object] | None = None,
) -> Any:
    """Declare a config field with its default and inclusive range or choices.

    ``parse`` reads its plain value (ValueError: what "it must be"), ``write`` makes a plain value of it again.
    """
    metadata = {"low": low, "high": high, "choices": choices, "parse": parse, "write": write}
    return dataclasses.field(default=default, metadata=metadata)


def duration(default: float | None, *, low: float | None = None, high: float | None = None) -> Any:
    """Declare a length of time, in seconds, that is written with its unit: ``90s``, ``11h``, ``1h30m``."""
    return key(default, low=low, high=high, parse=parse_duration, write=write_duration)


def seconds(default: float, *, low: float | None = None, high: float | None = None) -> Any:
    """Declare a length of time whose key says ``_seconds``: a number of them, or a duration with its unit."""
    return key(default, low=low, high=high, parse=_number_or_duration)


def local_path(value: object) -> str:
    """Read the name of a file or folder, or the address of a storage; ``~`` is the user's home.

    Raises:
        ValueError: it is none; the text completes "it must be".
    """
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        raise ValueError("the name of a file or folder")
    return os.path.expanduser(value)


def local_paths(value: object) -> tuple[str, ...]:
    """Read a list of files or folders; raises as :func:`local_path`."""
    if not isinstance(value, list | tuple):
        raise ValueError("a list of files or folders")
    return tuple(local_path(one) for one in value)


def build(cls: type[T], data: object, *, where: str = "the file") -> T:
    """Build ``cls`` from nested mappings; ``where`` is what holds them.

    Raises:
        ConfigError: a key is unknown, missing, of the wrong type or out of range.
    """
    return _dataclass(cls, data, "", tuple(dotted_keys(cls)), where)


def mistakes(cls: type, data: object, *, where: str = "the file") -> list[ConfigError]:
    """Return everything for which :func:`build` would refuse ``data``, in the order of the fields.

    What several keys have to do with each other is only told of sections whose keys are right by themselves.
    """
    found: list[ConfigError] = []
    token = _GATHERED.set(found)
    try:
        with contextlib.suppress(_Gathered):
            _field(lambda: build(cls, data, where=where))
    finally:
        _GATHERED.reset(token)
    return found


def check(config: object, prefix: str = "") -> None:
    """Hold a config that Python code made against the types, ranges and choices of its fields.

    For ``__post_init__``. Values that have their own parser are held against their range; nested configs check
    themselves.

    Raises:
        ConfigError: a value is wrong; the text names its key after ``prefix``.
    """
    hints = _hints(config.__class__)
    for field in dataclasses.fields(config):  # type: ignore[arg-type]
        value, hint, metadata = getattr(config, field.name), hints[field.name], field.metadata
        if metadata.get("parse") and _plain_hint(hint) not in _NAMES:
            continue
        if not dataclasses.is_dataclass(value):
            parse = metadata.get("parse") if hint is str else None  # text has one form, numbers were read already
            _value(value, hint, {**metadata, "parse": parse}, prefix + field.name, ())


def plain(value: object) -> Any:
    """Return the plain data that :func:`build` reads back to an equal config."""
    if dataclasses.is_dataclass(value):
        return {
            entry.name: _written(getattr(value, entry.name), entry.metadata.get("write"))
            for entry in dataclasses.fields(value)
        }
    if isinstance(value, Mapping):
        return {name: plain(inner) for name, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, tuple) else value


def dotted_keys(cls: Any, prefix: str = "") -> list[str]:
    """All keys of ``cls`` with their full dotted names, sections included."""
    keys = []
    hints = _hints(cls)
    for field in dataclasses.fields(cls):
        keys.append(prefix + field.name)
        inner = hints[field.name]
        if dataclasses.is_dataclass(inner) and not field.metadata.get("parse"):
            keys += dotted_keys(inner, f"{prefix}{field.name}.")
    return keys


@functools.cache
def _cached_hints(cls: type) -> dict[str, object]:
    return typing.get_type_hints(cls)


def _hints(cls: type) -> dict[str, object]:
    return _cached_hints(cls)


def _plain_hint(hint: object) -> Any:
    """``T`` of ``T | None``."""
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        return next(arm for arm in typing.get_args(hint) if arm is not type(None))
    return hint


def _written(value: object, write: Callable[[object], object] | None) -> object:
    return plain(value) if write is None or value is None else write(value)


def _number_or_duration(value: object) -> float:
    if isinstance(value, str):
        return parse_duration(value)
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise ValueError("a number of seconds, or a duration such as 90s or 20m")
    return value


def _refusal(path: str, text: str) -> ConfigError:
    error = ConfigError(text)
    error.key = path
    return error


def _shown(value: object) -> str:
    text = repr(value) if not isinstance(value, int) or abs(value) < 10**_LONGEST else "a number without end"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _unknown_key(name: str, valid: Iterable[str]) -> str:
    """Name the nearest key: spelt alike in full, else alike in its last part, as when its section was left out."""
    keys = list(valid)
    by_last = {key.rpartition(".")[2]: key for key in reversed(keys)}
    near = difflib.get_close_matches(name, keys, n=1, cutoff=0.8)
    near += [by_last[last] for last in difflib.get_close_matches(name.rpartition(".")[2], by_last, n=1)]
    return f"unknown key {name!r}; did you mean {near[0]!r}?" if near else unknown_name("key", name, keys)


class _Gathered(Exception):
    """A mistake of what is being built was gathered, so it cannot be built."""


def _field(value: Callable[[], object]) -> object:
    """Return a value, or gather its mistake where mistakes are gathered."""
    gathered = _GATHERED.get()
    if gathered is None:
        return value()
    try:
        return value()
    except ConfigError as error:
        gathered.append(error)
    raise _Gathered


def _fields(values: Iterable[tuple[str, Callable[[], object]]]) -> dict[str, object]:
    """Return all values by name; where mistakes are gathered, one of them keeps no other from being found."""
    found, is_whole = dict[str, object](), True
    for name, value in values:
        try:
            found[name] = _field(value)
        except _Gathered:
            is_whole = False
    if not is_whole:
        raise _Gathered
    return found


def _refuse(error: ConfigError) -> object:
    raise error


def _dataclass(cls: type[T], data: object, path: str, valid: tuple[str, ...], where: str) -> T:
    section = path.rstrip(".")
    if not isinstance(data, Mapping):
        raise _refusal(section, f"{section or where} must hold keys and values, got {_shown(data)}")
    fields = {field.name: field for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
    hints = _hints(cls)

    def values() -> Iterator[tuple[str, Callable[[], object]]]:
        for name in data:
            if name not in fields:
                near = [k for k in valid if k.startswith(path)] if path else valid
                unknown = _refusal(f"{path}{name}", _unknown_key(f"{path}{name}", near))
                yield str(name), functools.partial(_refuse, unknown)
        for name, field in fields.items():
            if name in data:
                yield name, functools.partial(_value, data[name], hints[name], field.metadata, path + name, valid)
            elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
                missing = _refusal(section, f"the key {path}{name} is missing and has no default")
                yield name, functools.partial(_refuse, missing)

    found = _fields(values())
    try:
        return cls(**found)
    except ConfigError as error:
        error.key = error.key or section
        raise


def _value(value: object, hint: Any, metadata: _Metadata, path: str, valid: tuple[str, ...]) -> object:
    if hint != (hint := _plain_hint(hint)) and value is None:
        return None
    if metadata.get("parse"):
        value = _parsed(value, metadata["parse"], path)
        return _ranged(value, metadata, path) if hint in _NAMES else value
    if dataclasses.is_dataclass(hint):
        return _dataclass(typing.cast(type, hint), value, path + ".", valid, path)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise _refusal(path, f"{path} must be a list, got {_shown(value)}")
        return tuple(_value(v, arguments[0], metadata, f"{path}[{i}]", valid) for i, v in enumerate(value))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        if not isinstance(value, Mapping):
            raise _refusal(path, f"{path} must hold keys and values, got {_shown(value)}")
        item = arguments[1]
        inner = dotted_keys(item) if dataclasses.is_dataclass(item) else []
        valid_of = {str(k): tuple(f"{path}.{k}.{i}" for i in inner) for k in value}
        return _fields(
            (str(k), functools.partial(_value, v, item, metadata, f"{path}.{k}", valid_of[str(k)]))
            for k, v in value.items()
        )
    if origin is typing.Literal:
        metadata, hint = {**metadata, "choices": arguments}, str
    return _scalar(value, hint, metadata, path)


def _parsed(value: object, parse: Callable[[object], T], path: str) -> T:
    try:
        return parse(value)
    except ValueError as error:
        raise _refusal(path, f"{path} must be {error}, got {_shown(value)}") from error
    except ConfigError as error:
        error.key = error.key or path
        raise


def _scalar(value: object, hint: type, metadata: _Metadata, path: str) -> object:
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        # a whole number may be larger than any float; infinity is refused below
        value = float(value) if abs(value) < 2**1023 else math.inf
    if not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
        raise _refusal(path, f"{path} must be {_NAMES[hint]}, got {_shown(value)}")
    choices = metadata.get("choices")
    if choices and value not in choices:
        raise _refusal(path, f"{path}: {unknown_name('value', value, choices)}")
    return _ranged(value, metadata, path)


def _ranged(value: Any, metadata: _Metadata, path: str) -> object:
    low, high = metadata.get("low"), metadata.get("high")
    if isinstance(value, float) and not math.isfinite(value):
        raise _refusal(path, f"{path} must be a finite number, got {_shown(value)}")
    write = metadata.get("write")
    if low is not None and not value >= low:
        raise _refusal(path, f"{path} must be at least {(write or _figure)(low)}, got {(write or _shown)(value)}")
    if high is not None and not value <= high:
        raise _refusal(path, f"{path} must be at most {(write or _figure)(high)}, got {(write or _shown)(value)}")
    return value


def _figure(bound: float) -> str:
    return str(bound) if isinstance(bound, int) else f"{bound:g}"
