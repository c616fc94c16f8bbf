"""A file that a language model wrote, as a value: its text, its hash, and how it becomes a registered component.

Whoever registers one reads it first (:mod:`.static`), in every process anew, and runs it with the listed builtins and
an import that knows the listed modules alone. Nothing here decides whether it may be trusted: a search registers what
it has admitted, and a bundle what its user vouches for.
"""

from __future__ import annotations

import ast
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
from synthcity.nets.authored.static import Declared, Refused, read
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
    vars(module).update({"__builtins__": allowed, "__guard__": _guard})
    file = f"<{declared.name}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)  # so that errors show lines
    sys.modules[module.__name__] = module  # dataclass looks there
    before = packaged_classes()
    try:
        exec(compile(_guarded(source), file, "exec", dont_inherit=True), vars(module))
        check_unchanged(before)
    except BaseException:
        del sys.modules[module.__name__]
        raise
    return vars(module)


def is_authored(value: object) -> bool:
    """Whether the class of ``value`` comes from an authored file."""
    return type(value).__module__.startswith(f"{_PACKAGE}.")


def packaged_classes() -> dict[type, dict[str, object]]:
    """Return the insides of all classes that authored code could come by."""
    modules = [importlib.import_module(name) for name in (*MODULES, *NAMES)]
    classes = {value for module in modules for value in vars(module).values() if isinstance(value, type)}
    entries = [*registry.blocks().values(), *registry.heads().values()]
    classes |= {kind for entry in entries for kind in (entry.cls, entry.config)}
    # what Python keeps there by itself, such as which subclasses an abstract class has been asked about, is left out
    return {kind: {k: v for k, v in vars(kind).items() if not k.startswith("_abc")} for kind in classes}


def check_unchanged(before: Mapping[type, Mapping[str, object]]) -> None:
    """Hold classes against what :func:`packaged_classes` returned before.

    Raises:
        Refused: one was changed; the process must not go on with it.
    """
    for kind, inside in before.items():
        now = vars(kind)
        changed = [name for name in inside if now.get(name) is not inside[name]]
        changed += [name for name in now if name not in inside and not name.startswith("_abc")]
        if changed:
            raise Refused(f"it changed {kind.__module__}.{kind.__qualname__}: {', '.join(sorted(changed))}")


def _guarded(source: str) -> ast.Module:
    """Return the file's tree, in which every method first sees whether it was called for an object of its class.

    Else ``Own.method(Other, x)`` would set attributes of ``Other``, a packaged class, for all later trials.
    """
    tree = ast.parse(source)
    for owner in [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]:
        for method in [part for part in owner.body if isinstance(part, ast.FunctionDef)]:
            arguments = [*method.args.posonlyargs, *method.args.args]
            if arguments and arguments[0].arg == "self":
                guard = ast.copy_location(ast.parse("__guard__(self, __class__)").body[0], method.body[0])
                for inner in ast.walk(guard):
                    ast.copy_location(inner, method.body[0])
                method.body.insert(1 if ast.get_docstring(method) else 0, guard)
    return ast.fix_missing_locations(tree)


def _guard(owner: object, kind: type) -> None:
    if not isinstance(owner, kind):
        raise TypeError(f"a method of {kind.__name__} was called for {owner!r}, which is none")


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
