"""The registry of blocks and heads, with everything a proposer needs to know of them as plain data."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, is_dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, TypeVar, cast

from torch import nn

from synthcity import plugins
from synthcity.errors import ConfigError, unknown_name
from synthcity.market.windows import SEQUENCE_NAMES, WindowSpec
from synthcity.nets.blocks.base import BuildContext
from synthcity.nets.costs import Cost, packaged_costs
from synthcity.nets.parameters import Parameter, parameters_of

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

C = TypeVar("C", bound=type)


@dataclass(frozen=True, kw_only=True)
class Component:
    """A registered block or head: its class, its nested ``Config`` and its docstring.

    ``causal``: no output of the block depends on later steps, whatever its options. ``needs_seq_len``: weights belong
    to the length it was built for; other lengths are interpolated to that one and back. ``cost``: what a packaged block
    was measured to take, None for what nobody measured. ``code``: kind, name, source and sha256 of what a language
    model wrote, None for all else. ``origin``: where the code of what came from outside lies, None for all else.
    """

    name: str
    kind: str
    cls: type[nn.Module]
    config: type[DataclassInstance]
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

    @property
    def origin(self) -> plugins.Plugin | None:
        if self.code is not None or self.cls.__module__.startswith("synthcity.nets."):
            return None
        declared = plugins.find(f"{self.kind}s", self.name)
        reference = f"{self.cls.__module__}:{self.cls.__qualname__}"
        return declared or plugins.plugin_at(f"{self.kind}s", reference, self.name)

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

    def describe(self) -> dict[str, object]:
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


_EXTERNAL: dict[plugins.Plugin, Component] = {}


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


def add_authored(entry: Component) -> Component:
    """Register what stands for a component that a language model wrote; see ``nets.authored.code``."""
    return registered(entry.kind).setdefault(entry.name, entry)


def remove(kind: str, name: str) -> None:
    """Take a component out again, if it is there."""
    (_BLOCKS if kind == "block" else _HEADS).pop(name, None)


@cache
def _import_all() -> None:
    for package in ("synthcity.nets.blocks", "synthcity.nets.heads"):
        for module in pkgutil.iter_modules(importlib.import_module(package).__path__):
            importlib.import_module(f"{package}.{module.name}")


def registered(kind: str) -> dict[str, Component]:
    """Return what this process has registered of a kind, without what installed distributions declare."""
    _import_all()
    return _BLOCKS if kind == "block" else _HEADS


def blocks() -> Mapping[str, Component]:
    """All blocks by name, those of installed distributions among them."""
    return _all("block")


def heads() -> Mapping[str, Component]:
    """All heads by name, those of installed distributions among them."""
    return _all("head")


def component(kind: str, name: object) -> Component:
    """Look up a block or head; ``module:Name`` is one only after ``plugins.allow``.

    Raises:
        ConfigError: there is none of that name; the text gives the nearest.
    """
    table = registered(kind)
    if name in table:
        return table[str(name)]
    plugin = plugins.find(f"{kind}s", name)
    if plugin is not None:
        if plugin not in _EXTERNAL:
            _EXTERNAL[plugin] = _external(kind, plugin)
        return _EXTERNAL[plugin]
    if plugins.is_reference(name):
        raise ConfigError(f"the {kind} {name} is code that nobody named for this process, so it is not imported")
    raise ConfigError(unknown_name(kind, name, plugins.merged(f"{kind}s", table)))


def short_name(kind: str, name: str) -> str:
    """Return the name under which a component is known that is called by its class, such as ``TransformerBlock``.

    What is known by no such name comes back as it is, for ``component`` to refuse.
    """
    table = registered(kind)
    if name in table:
        return name
    spelt = {each.lower(): known for known, entry in table.items() for each in (known, entry.cls.__name__)}
    plain = name.lower()
    return spelt.get(plain) or spelt.get(plain.removesuffix(kind).rstrip("_-")) or name


def find(name: str | None = None) -> list[Component]:
    """Return blocks, then heads, of that name; all of them without one. ``module:Name`` is imported.

    Raises:
        ConfigError: there is none of that name; the text gives the nearest.
    """
    if name is not None and plugins.is_reference(name):
        plugins.allow(name)
        return [component(kind_of(plugins.load(plugins.plugin_at("blocks", name)), name), name)]
    entries = [*blocks().values(), *heads().values()]
    found = [entry for entry in entries if name is None or entry.name == short_name(entry.kind, name)]
    if not found:
        raise ConfigError(unknown_name("block or head", name, (entry.name for entry in entries)))
    return found


def kind_of(cls: object, name: str) -> str:
    """Return ``block`` or ``head``, which the class shows by what its ``forward`` takes.

    Raises:
        ConfigError: it is neither.
    """
    if isinstance(cls, type) and issubclass(cls, nn.Module) and is_dataclass(getattr(cls, "Config", None)):
        num_inputs = len(inspect.signature(cls.forward).parameters) - 1  # without self
        if num_inputs in (1, 2):
            return "block" if num_inputs == 1 else "head"
    raise ConfigError(
        f"{name} is no block or head: it must be a torch module with a nested dataclass Config, whose forward takes a "
        "block's one input or a head's two"
    )


def _all(kind: str) -> Mapping[str, Component]:
    names = plugins.merged(f"{kind}s", _packaged(kind))
    return {name: component(kind, name) for name in sorted({*names, *registered(kind)})}


def _packaged(kind: str) -> list[str]:
    return [name for name, entry in registered(kind).items() if entry.cls.__module__.startswith("synthcity.nets.")]


def describe_class(kind: str, cls: object, name: str | None = None) -> Component:
    """Describe a class from outside.

    It may have been registered by its module, with the decorator; else ``causal`` and ``needs_seq_len`` are attributes
    of the class.

    Raises:
        ConfigError: it is none of this kind.
    """
    name = name or str(getattr(cls, "__name__", cls))
    found = kind_of(cls, name)
    if found != kind:
        raise ConfigError(f"{name} is no {kind} but a {found}: its forward shows it")
    own = next((entry for entry in registered(kind).values() if entry.cls is cls), None)
    return own or Component(
        name=name,
        kind=kind,
        cls=cast(type[nn.Module], cls),
        config=getattr(cls, "Config"),  # noqa: B009 - kind_of has seen it
        causal=getattr(cls, "causal", False) is True,
        needs_seq_len=getattr(cls, "needs_seq_len", False) is True,
    )


def _external(kind: str, plugin: plugins.Plugin) -> Component:
    cls = plugins.load(plugin)
    try:
        entry = describe_class(kind, cls, plugin.name)
    except ConfigError as error:
        raise ConfigError(f"the {plugin} cannot be used: {error}") from error
    if plugin.declared and entry.name != plugin.name:
        raise ConfigError(f"the {plugin} registers itself as {entry.name}; give it one name")
    return replace(entry, name=plugin.name)


def describe() -> dict[str, object]:
    """Describe every component as plain, JSON-able data: ``{"blocks": {name: {doc, ...}}, "heads": ...}``."""
    return {
        plural: {name: entry.describe() for name, entry in table.items()}
        for plural, table in (("blocks", blocks()), ("heads", heads()))
    }
