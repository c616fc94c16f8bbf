"""Running an authored text with nothing but the listed names; called in locked children alone."""

from __future__ import annotations

import builtins
import importlib
import sys
import types
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from synthcity.authored.locked.forked import FILE
from synthcity.authored.vocabulary import Vocabulary


def importing(is_allowed: Callable[[str], bool]) -> Callable[..., types.ModuleType]:
    """Return the ``__import__`` of a text that may import those names alone."""

    def limited_import(
        name: str,
        globals: Mapping[str, object] | None = None,
        locals: Mapping[str, object] | None = None,
        fromlist: Iterable[str] | None = (),
        level: int = 0,
    ) -> types.ModuleType:
        if level or not is_allowed(name):
            raise ImportError(f"import of {name} is not allowed")
        module = importlib.import_module(name)
        return module if fromlist else importlib.import_module(name.partition(".")[0])

    return limited_import


def execute(source: str, vocabulary: Vocabulary) -> dict[str, Any]:
    """Return what a text defines."""

    def is_allowed(name: str) -> bool:
        # NumPy's own C code imports what it needs of itself by the way of whoever calls it
        within = name.startswith("numpy._core.") and name in sys.modules
        return within or name in vocabulary.modules or name in vocabulary.names

    allowed = {name: getattr(builtins, name) for name in vocabulary.builtins}
    space: dict[str, Any] = {"__builtins__": {**allowed, "__import__": importing(is_allowed)}, "__name__": "authored"}
    exec(compile(source, FILE, "exec", dont_inherit=True), space)
    return space
