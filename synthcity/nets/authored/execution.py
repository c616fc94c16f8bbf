"""Running a file that a language model wrote: done in locked processes, and nowhere else.

It gets the listed builtins and an import that knows the listed modules alone. What it defines registers itself there.
"""

from __future__ import annotations

import ast
import builtins
import importlib
import linecache
import sys
import types
from collections.abc import Mapping
from typing import Any

from synthcity.authored.execution import importing
from synthcity.nets import registry
from synthcity.nets.authored.static import Refused
from synthcity.nets.authored.words import BUILTINS, MODULES, NAMES

_PACKAGE = "synthcity_authored"


def execute(name: str, source: str) -> dict[str, Any]:
    """Run the file that registers ``name``, with nothing but the listed names, and return what it defines."""
    module = types.ModuleType(f"{_PACKAGE}.{name}")
    allowed = {word: getattr(builtins, word) for word in BUILTINS if hasattr(builtins, word)}
    allowed |= {
        "__build_class__": builtins.__build_class__,
        "__import__": importing(_is_allowed),
        "True": True,
        "None": None,
    }
    vars(module).update({"__builtins__": allowed, "__guard__": _guard})
    file = f"<authored {name}>"
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


def _is_allowed(name: str) -> bool:
    return name in MODULES or name in NAMES
