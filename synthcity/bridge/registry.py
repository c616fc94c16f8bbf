"""All operations, found by scanning the folder ``operations``."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import Any

import synthcity.bridge.operations as folder
from synthcity.bridge.operation import Operation


@cache
def operations() -> dict[str, Operation[Any]]:
    """Return every operation by its name, in the order of their modules."""
    found: dict[str, Operation[Any]] = {}
    for module in pkgutil.iter_modules(folder.__path__):
        for operation in importlib.import_module(f"{folder.__name__}.{module.name}").OPERATIONS:
            if operation.name in found:
                raise ValueError(f"two operations are called {operation.name!r}")
            found[operation.name] = operation
    return found
