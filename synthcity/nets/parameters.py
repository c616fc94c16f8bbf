"""Typed, documented hyperparameters: written once as dataclass fields, read by the gate, samplers and prompts."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from synthcity.errors import ConfigError, unknown_name

Kind = Literal["int", "float", "choice", "bool"]
_KEY = "parameter"
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One hyperparameter as plain data: ``low`` to ``high`` inclusive, or one of ``choices``."""

    name: str
    kind: Kind
    default: Any
    low: float | None = None
    high: float | None = None
    log: bool = False
    choices: tuple[Any, ...] = ()
    doc: str = ""

    @property
    def is_free(self) -> bool:
        """Whether it can take more than one value."""
        return self.kind == "bool" or len(self.choices) > 1 or self.low != self.high

    def check(self, value: Any, owner: str) -> object:
        """Return ``value`` in its own type.

        Raises:
            ConfigError: wrong type or out of range; the text names value and range.
        """
        where = f"{owner}.{self.name}"
        if self.kind == "bool":
            if not isinstance(value, bool):
                raise ConfigError(f"{where} is {value!r}; it must be true or false")
            return value
        if self.kind == "choice":
            if value not in self.choices or isinstance(value, bool) != isinstance(self.default, bool):
                raise ConfigError(f"{where} is {value!r}; it must be one of {list(self.choices)}")
            return self.choices[self.choices.index(value)]  # 1.0 where 1 was written
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not number or (self.kind == "int" and value != int(value)):
            raise ConfigError(f"{where} is {value!r}; it must be a number of kind {self.kind}")
        assert self.low is not None
        assert self.high is not None
        if not self.low <= value <= self.high:
            raise ConfigError(f"{where} is {value!r}; it must lie in [{self.low:g}, {self.high:g}]")
        return int(value) if self.kind == "int" else float(value)


def _field(kind: Kind, default: T, **spec: object) -> T:
    # typed as the value that the field holds, as dataclasses.field itself is
    return dataclasses.field(default=default, metadata={_KEY: {"kind": kind, "default": default, **spec}})


def integer(default: int, *, low: int, high: int, log: bool = False, doc: str) -> int:
    """Declare an int field in [low, high]."""
    return _field("int", default, low=low, high=high, log=log, doc=doc)


def real(default: float, *, low: float, high: float, log: bool = False, doc: str) -> float:
    """Declare a float field in [low, high]."""
    return _field("float", default, low=low, high=high, log=log, doc=doc)


def choice(default: T, choices: tuple[T, ...], *, doc: str) -> T:
    """Declare a field that takes one of ``choices``."""
    return _field("choice", default, choices=choices, doc=doc)


def boolean(default: bool, *, doc: str) -> bool:
    """Declare a true-or-false field."""
    return _field("bool", default, doc=doc)


def parameters_of(config: type) -> tuple[Parameter, ...]:
    """Return the declared hyperparameters of a config dataclass, in order."""
    return tuple(
        Parameter(name=field.name, **field.metadata[_KEY])
        for field in dataclasses.fields(config)
        if _KEY in field.metadata
    )


def parse(config: type[T], values: Mapping[str, object], owner: str) -> T:
    """Build ``config`` from plain ``values``; missing keys take their default.

    Raises:
        ConfigError: an unknown key (with the nearest valid one), a wrong type or a value out of range.
    """
    known = {parameter.name: parameter for parameter in parameters_of(config)}
    for key in values:
        if key not in known:
            raise ConfigError(unknown_name(f"key of {owner}", key, known))
    return config(**{key: known[key].check(value, owner) for key, value in values.items()})
