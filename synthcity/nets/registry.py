"""The registry of blocks and heads, with everything a proposer needs to know of them as plain data."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import Any, TypeVar

from torch import nn

from synthcity.errors import ConfigError, unknown_name
from synthcity.market.windows import SEQUENCE_NAMES, WindowSpec
from synthcity.nets.blocks.base import BuildContext
from synthcity.nets.costs import Cost, packaged_costs
from synthcity.nets.parameters import Parameter, parameters_of

C = TypeVar("C", bound=type)


@dataclass(frozen=True, kw_only=True)
class Component:
    """A registered block or head: its class, its nested ``Config`` and its docstring.

    ``causal``: no output of the block depends on later steps, whatever its options. ``needs_seq_len``: weights belong
    to the length it was built for; other lengths are interpolated to that one and back. ``cost``: what a packaged block
    was measured to take, None for what nobody measured. ``code``: kind, name, source and sha256 of what a language
    model wrote, None for what is packaged.
    """

    name: str
    kind: str
    cls: Any
    config: Any
    causal: bool = False
    needs_seq_len: bool = False
    code: Mapping[str, str] | None = None

    @property
    def doc(self) -> str:
        return inspect.getdoc(self.cls) or ""

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        return parameters_of(self.config)

    @property
    def cost(self) -> Cost | None:
        packaged = self.kind == "block" and self.cls.__module__.startswith("synthcity.nets.")
        return packaged_costs().blocks.get(self.name) if packaged else None

    def build(self, d_model: int, seq_len: int) -> nn.Module:
        """Build it with its default options, as a network for the 24-hour competitions would."""
        spec = WindowSpec.of(300, 288)
        context = BuildContext(
            d_model=d_model,
            seq_len=seq_len,
            num_features=len(SEQUENCE_NAMES) + 1,
            horizon=spec.horizon,
            num_future=len(spec.future_names),
        )
        module: nn.Module = self.cls(context, self.config())
        return module

    def num_parameters(self, d_model: int, seq_len: int = 48) -> int:
        """Count the weights that it has with its default options."""
        return sum(parameter.numel() for parameter in self.build(d_model, seq_len).parameters())

    def describe(self) -> dict[str, Any]:
        """Describe it as plain, JSON-able data."""
        return {
            "doc": self.doc,
            "causal": self.causal,
            "needs_seq_len": self.needs_seq_len,
            "cost": None if self.cost is None else self.cost.to_dict(),
            "parameters": [asdict(parameter) for parameter in self.parameters],
        }


_BLOCKS: dict[str, Component] = {}
_HEADS: dict[str, Component] = {}


def register_block(name: str, *, causal: bool = False, needs_seq_len: bool = False) -> Callable[[C], C]:
    """Register a block class, which must have a nested ``Config`` dataclass, under a short lower-case name."""
    return _register(_BLOCKS, "block", name, causal=causal, needs_seq_len=needs_seq_len)


def register_head(name: str) -> Callable[[C], C]:
    """Register a head class, as ``register_block`` does a block."""
    return _register(_HEADS, "head", name)


def _register(
    table: dict[str, Component], kind: str, name: str, *, causal: bool = False, needs_seq_len: bool = False
) -> Callable[[C], C]:
    def add(cls: C) -> C:
        if name in table:
            raise ValueError(f"{kind} {name!r} is registered twice: {table[name].cls} and {cls}")
        config = cls.Config  # type: ignore[attr-defined]
        table[name] = Component(
            name=name, kind=kind, cls=cls, config=config, causal=causal, needs_seq_len=needs_seq_len
        )
        return cls

    return add


def mark_authored(kind: str, name: str, code: Mapping[str, str]) -> Component:
    """Note the code behind a component that was just registered from it; see ``nets.authored``."""
    table = _BLOCKS if kind == "block" else _HEADS
    table[name] = replace(table[name], code=dict(code))
    return table[name]


def remove(kind: str, name: str) -> None:
    """Take a component out again, if it is there."""
    (_BLOCKS if kind == "block" else _HEADS).pop(name, None)


@cache
def _import_all() -> None:
    for package in ("synthcity.nets.blocks", "synthcity.nets.heads"):
        for module in pkgutil.iter_modules(importlib.import_module(package).__path__):
            importlib.import_module(f"{package}.{module.name}")


def blocks() -> Mapping[str, Component]:
    """All blocks by name."""
    _import_all()
    return dict(sorted(_BLOCKS.items()))


def heads() -> Mapping[str, Component]:
    """All heads by name."""
    _import_all()
    return dict(sorted(_HEADS.items()))


def component(kind: str, name: object) -> Component:
    """Look up a block or head.

    Raises:
        ConfigError: there is none of that name; the text gives the nearest.
    """
    table = blocks() if kind == "block" else heads()
    if name not in table:
        raise ConfigError(unknown_name(kind, name, table))
    return table[str(name)]


def find(name: str | None = None) -> list[Component]:
    """Return blocks, then heads, of that name; all of them without one.

    Raises:
        ConfigError: there is none of that name; the text gives the nearest.
    """
    entries = [*blocks().values(), *heads().values()]
    found = [entry for entry in entries if name is None or entry.name == name]
    if not found:
        raise ConfigError(unknown_name("block or head", name, (entry.name for entry in entries)))
    return found


def describe() -> dict[str, Any]:
    """Describe every component as plain, JSON-able data: ``{"blocks": {name: {doc, ...}}, "heads": ...}``."""
    return {
        plural: {name: entry.describe() for name, entry in table.items()}
        for plural, table in (("blocks", blocks()), ("heads", heads()))
    }
