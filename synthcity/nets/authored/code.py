"""A file that a language model wrote, as a value: its text, its hash, and what of it a process may know.

Registering one runs nothing of it. The registry gets what the file says of itself, as far as that can be read
(:mod:`.static`): name, docstring and options. The class that stands for it cannot be built; a network that has such a
part is built in locked processes alone (:mod:`.walled_network`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, make_dataclass
from functools import partial
from typing import Any, NoReturn

from torch import nn

from synthcity import plugins
from synthcity.errors import ConfigError
from synthcity.nets import registry
from synthcity.nets.authored.static import Declared, read
from synthcity.nets.registry import Component

_STANDING = "synthcity_authored"  # the module of classes that stand for authored ones


@dataclass(frozen=True, kw_only=True)
class AuthoredCode:
    """One file: what it registers, its text, and the sha256 of that text."""

    kind: str
    name: str
    source: str
    sha256: str

    @classmethod
    def of(cls, source: str) -> AuthoredCode:
        """Read a file's text.

        Raises:
            Refused: it may not be read as one; nothing of it was run.
        """
        declared = read(source)
        return cls(kind=declared.kind, name=declared.name, source=source, sha256=digest(source))

    def to_dict(self) -> dict[str, str]:
        """Return plain data."""
        return asdict(self)


def digest(source: str) -> str:
    """Return the sha256 of a file's text."""
    return hashlib.sha256(source.encode("utf-8", errors="surrogatepass")).hexdigest()


def install(codes: Iterable[Mapping[str, Any]]) -> None:
    """Make what ``codes_of`` gave usable in this process; what is there already stays.

    Raises:
        ConfigError: a hash does not fit its text, another component has the name, or code from outside is not here.
        Refused: a text is not what an authored file may be.
    """
    for plain in codes:
        if "source" not in plain:
            plugins.require(plugins.Plugin(**plain))
            continue
        code = AuthoredCode.of(plain["source"])
        if code.sha256 != plain["sha256"] or code.name != plain["name"] or code.kind != plain["kind"]:
            raise ConfigError(f"the code of {plain['name']} differs from its hash; it is damaged or was edited")
        register(code)


def register(code: AuthoredCode) -> Component:
    """Put what a file says of its component into the registry of this process; nothing of it runs.

    Raises:
        ConfigError: another component has the name.
    """
    known = registry.registered(code.kind).get(code.name)
    if known is not None and known.code is not None and known.code["sha256"] == code.sha256:
        return known
    if known is not None or code.name in plugins.installed(f"{code.kind}s"):
        raise ConfigError(f"there is another {code.kind} of the name {code.name}; a process holds only one")
    return registry.add_authored(_standing(code))


def forget(code: AuthoredCode) -> None:
    """Take a component out of the registry again."""
    registry.remove(code.kind, code.name)


def _standing(code: AuthoredCode) -> Component:
    """Describe a component by what its file says; its class says no more than that, and cannot be built."""
    said = read(code.source)
    config = make_dataclass(
        "Config", [(name, object, field) for name, field in said.options], frozen=True, kw_only=True
    )
    inside = {"__doc__": said.doc, "__module__": _STANDING, "Config": config, "__init__": partial(_refuse, said)}
    return Component(
        name=said.name,
        kind=said.kind,
        cls=type(said.title, (nn.Module,), inside),
        config=config,
        causal=said.causal,
        needs_seq_len=said.needs_seq_len,
        code=code.to_dict(),
    )


def _refuse(said: Declared, *_: object, **__: object) -> NoReturn:
    raise ConfigError(f"a language model wrote the {said.kind} {said.name}: it is built in locked processes alone")


def codes_of(config: Mapping[str, Any]) -> tuple[dict[str, Any], ...]:
    """Return, as plain data, what a process needs beyond this package to build a candidate's network.

    For a component that a language model wrote that is its text and hash, for one from outside where its code lies.

    Raises:
        ConfigError: the code of a component lies in ``__main__``, where no other process finds it.
    """
    blocks = [("block", str(block["name"])) for block in config.get("blocks", ())]
    head = [("head", str(config["head"]["name"]))] if "head" in config else []
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for kind, name in [*blocks, *head]:
        entry = registry.component(kind, name)
        if entry.code is not None:
            found[kind, name] = dict(entry.code)
        elif entry.origin is not None:
            found[kind, name] = entry.origin.to_dict()
    return tuple(found.values())
