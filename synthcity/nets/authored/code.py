"""A file that a language model wrote, as a value: its text, its hash, and how it becomes a registered component.

Whoever registers one reads it first (:mod:`.static`), in every process anew, and runs it with the listed builtins and
an import that knows the listed modules alone. Nothing here decides whether it may be trusted: a search registers what
it has admitted, and a bundle what its user vouches for.
"""

from __future__ import annotations

import builtins
import hashlib
import importlib
import linecache
import sys
import types
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from synthcity import plugins
from synthcity.errors import ConfigError
from synthcity.nets import registry
from synthcity.nets.authored.static import Declared, read
from synthcity.nets.authored.words import BUILTINS, MODULES, NAMES
from synthcity.nets.registry import Component

_PACKAGE = "synthcity_authored"


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


def execute(declared: Declared, source: str) -> dict[str, Any]:
    """Run a file that was read, with nothing but the listed names, and return what it defines.

    Its component is in the registry after that.
    """
    module = types.ModuleType(f"{_PACKAGE}.{declared.name}")
    allowed = {name: getattr(builtins, name) for name in BUILTINS if hasattr(builtins, name)}
    allowed |= {"__build_class__": builtins.__build_class__, "__import__": _import, "True": True, "None": None}
    vars(module)["__builtins__"] = allowed
    file = f"<{declared.name}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)  # so that errors show lines
    sys.modules[module.__name__] = module  # dataclass looks there
    try:
        exec(compile(source, file, "exec", dont_inherit=True), vars(module))
    except BaseException:
        del sys.modules[module.__name__]
        raise
    return vars(module)


def _import(
    name: str,
    globals: Mapping[str, object] | None = None,
    locals: Mapping[str, object] | None = None,
    fromlist: Iterable[str] | None = (),
    level: int = 0,
) -> types.ModuleType:
    if level or name not in MODULES.keys() | NAMES.keys():
        raise ImportError(f"import of {name} is not allowed")
    module = importlib.import_module(name)
    return module if fromlist else importlib.import_module(name.partition(".")[0])


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
    """Put a file's component into the registry of this process.

    Raises:
        ConfigError: another component has the name.
    """
    known = registry.registered(code.kind).get(code.name)
    if known is not None and known.code is not None and known.code["sha256"] == code.sha256:
        return known
    if known is not None or code.name in plugins.installed(f"{code.kind}s"):
        raise ConfigError(f"there is another {code.kind} of the name {code.name}; a process holds only one")
    execute(Declared(kind=code.kind, name=code.name), code.source)
    return registry.mark_authored(code.kind, code.name, code.to_dict())


def forget(code: AuthoredCode) -> None:
    """Take a component out of the registry again."""
    registry.remove(code.kind, code.name)
    sys.modules.pop(f"{_PACKAGE}.{code.name}", None)


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
