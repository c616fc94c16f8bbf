"""Running an authored text with nothing but the listed names; called in locked children alone."""

from __future__ import annotations

import builtins
import importlib
import sys
import types
from collections.abc import Iterable, Mapping
from typing import Any

from synthcity.authored.locked.forked import FILE
from synthcity.authored.vocabulary import Vocabulary


def execute(source: str, vocabulary: Vocabulary) -> dict[str, Any]:
    """Return what a text defines."""

    def limited_import(
        name: str,
        globals: Mapping[str, object] | None = None,
        locals: Mapping[str, object] | None = None,
        fromlist: Iterable[str] | None = (),
        level: int = 0,
    ) -> types.ModuleType:
        # NumPy's own C code imports what it needs of itself by the way of whoever calls it
        within = name.startswith("numpy._core.") and name in sys.modules
        if level or (name not in vocabulary.modules.keys() | vocabulary.names.keys() and not within):
            raise ImportError(f"import of {name} is not allowed")
        module = importlib.import_module(name)
        return module if fromlist else importlib.import_module(name.partition(".")[0])

    allowed = {name: getattr(builtins, name) for name in vocabulary.builtins}
    space: dict[str, Any] = {"__builtins__": {**allowed, "__import__": limited_import}, "__name__": "authored"}
    exec(compile(source, FILE, "exec", dont_inherit=True), space)
    return space
