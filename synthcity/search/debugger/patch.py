"""Changes of a candidate's configuration by path: all that a repair can do.

A path names a value of the canonical configuration: ``training.learning_rate``, ``blocks.0.n_heads``, ``head.name``.
There is no other way to change anything, so that scorer, budget, seeds and data are out of reach.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any

from synthcity.errors import ConfigError, unknown_name
from synthcity.nets.config import RECIPE, parameters
from synthcity.nets.parameters import Parameter
from synthcity.nets.registry import component
from synthcity.search.candidates.candidate import Config
from synthcity.search.candidates.space import Value
from synthcity.search.debugger.failure import parts

Changes = Mapping[str, object]


def options(config: Config) -> dict[str, tuple[Value, Parameter]]:
    """Return value and parameter of every option of a canonical config by its path, names of parts left out."""
    complete = {**config, "training": {**RECIPE, **config["training"]}}
    found = {p.name: (_get(complete, p.name), p) for p in parameters()}
    for path, kind, name in parts(config):
        for parameter in component(kind, name).parameters:
            where = f"{path}.{parameter.name}"
            found[where] = (_get(config, where), parameter)
    return found


def paths(config: Config) -> list[str]:
    """Return every path that may be changed."""
    named = [path for path, _, _ in parts(config)]
    return [*options(config), *(f"{path}.name" for path in named), *(path for path in named if path != "head")]


def apply(config: Config, changes: Changes) -> Config:
    """Return a changed copy of a canonical config, not yet checked by the gate.

    A new ``name`` gives a part its default options; a block set to None is left out.

    Raises:
        ConfigError: a path is none, or a block is set to something else than None.
    """
    changed = copy.deepcopy(dict(config))
    known = paths(config)
    # names first, since a new one wipes the options that the other changes set
    for path, value in sorted(changes.items(), key=lambda item: not item[0].endswith(".name")):
        if path not in known:
            raise ConfigError(unknown_name("path", path, known))
        *way, last = path.split(".")
        if way == ["blocks"] and value is not None:
            raise ConfigError(f"{path} can only be set to null, which leaves the block out; got {value!r}")
        owner: Any = _get(changed, ".".join(way)) if way else changed
        if last == "name":
            owner.clear()
        owner[int(last) if way == ["blocks"] else last] = value
    changed["blocks"] = [block for block in changed["blocks"] if block is not None]
    return changed


def describe(config: Config, changes: Changes) -> str:
    """Say what changes in one line."""
    return ", ".join(_describe(config, path, value) for path, value in changes.items())


def _describe(config: Config, path: str, value: object) -> str:
    known = options(config)
    old = known[path][0] if path in known else _get(config, path)
    if value is None and isinstance(old, Mapping):
        return f"without {path} ({old['name']})"
    shown = [f"{each:g}" if isinstance(each, float) else str(each) for each in (old, value)]
    return f"{path} {shown[0]} to {shown[1]}"


def _get(config: Config, path: str) -> Any:
    value: Any = config
    for step in path.split("."):
        value = value[int(step)] if isinstance(value, list | tuple) else value[step]
    return value


def reset(config: Config, path: str) -> Changes:
    """Return the changes that give a part its default options; empty where it has them."""
    found: Iterable[tuple[str, tuple[Value, Parameter]]] = options(config).items()
    return {p: q.default for p, (value, q) in found if p.startswith(f"{path}.") and value != q.default}
