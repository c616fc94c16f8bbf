"""Configs as short text for who reads many of them, a language model or a person.

``lstm(num_layers=2)+tcn>gbm d_model=48 training(learning_rate=0.004)`` is a canonical config without its defaults:
blocks joined by ``+``, the head after ``>``, then what is shared, numbers to two digits. ``none`` stands for no block.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synthcity.nets.config import RECIPE
from synthcity.search.candidates.candidate import Config
from synthcity.search.candidates.space import canonical
from synthcity.wording import chain

_MOST_CHANGES = 3  # told one by one


def differences(config: Config) -> Config:
    """Return the part of a canonical config that differs from its defaults; names and lists stay whole."""
    names = [{"name": block["name"]} for block in config["blocks"]]
    default = canonical({"blocks": names, "head": {"name": config["head"]["name"]}})
    return {key: value for key in config if (value := _changed(config[key], default[key])) or key in ("blocks", "head")}


def _changed(value: Any, default: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: v for k, v in value.items() if k == "name" or k not in default or v != default[k]}
    if isinstance(value, list):
        return [_changed(v, d) for v, d in zip(value, default, strict=True)]
    return value if value != default else None


def short(config: Config) -> str:
    """Return a canonical config in the notation of this module."""
    parts = differences(config)
    network = chain([_component(block) for block in parts["blocks"]], _component(parts["head"]))
    shared = [
        _options(key, value) if isinstance(value, Mapping) else f"{key}={_value(value)}"
        for key, value in parts.items()
        if key not in ("blocks", "head")
    ]
    return " ".join([network, *shared])


def sketch(config: Config) -> str:
    """Return any config, complete or not, as its components and sizes, e.g. ``lstm+tcn>gbm d32 h48``."""
    names = [str(block.get("name", "?")) for block in config.get("blocks", ()) if isinstance(block, Mapping)]
    head = config.get("head")
    network = chain(names, str(head.get("name", "?")) if isinstance(head, Mapping) else "?")
    sizes = [f"{letter}{config[key]}" for key, letter in (("d_model", "d"), ("history", "h")) if key in config]
    return " ".join([network, *sizes])


def _component(component: Config) -> str:
    return _options(component["name"], {k: v for k, v in component.items() if k != "name"})


def _options(name: str, options: Mapping[str, object]) -> str:
    return f"{name}({' '.join(f'{k}={_value(v)}' for k, v in options.items())})" if options else name


def changes(before: Config, after: Config) -> str:
    """Say in a line what of a canonical config became what in another: the chain and head first, then numbers.

    Options of a component that only one of the two has say nothing that its name does not.
    """
    old, new = _leaves(before), _leaves(after)
    changed = [
        f"{key} {_value(old[key], 3)} to {_value(new[key], 3)}" for key in new if key in old and old[key] != new[key]
    ]
    rest = len(changed) - _MOST_CHANGES
    return ", ".join([*changed[:_MOST_CHANGES], *([f"{rest} more"] if rest > 0 else [])]) or "nothing"


def _leaves(config: Config) -> dict[str, object]:
    chain = [block["name"] for block in config["blocks"]]
    leaves: dict[str, object] = {"blocks": "+".join(chain) or "none", "head": config["head"]["name"]}
    slots = [(f"{index}.{block['name']}", block) for index, block in enumerate(config["blocks"])]
    slots.append((config["head"]["name"], config["head"]))
    for key, value in config.items():
        if key not in ("blocks", "head"):
            options = {**RECIPE, **value} if key == "training" else value
            slots.append((key, options if isinstance(options, Mapping) else {"": options}))
    for slot, options in slots:
        leaves |= {f"{slot}.{name}".rstrip("."): value for name, value in options.items() if name != "name"}
    return leaves


def _value(value: object, digits: int = 2) -> str:
    return (
        str(value).lower()
        if isinstance(value, bool)
        else f"{value:.{digits}g}"
        if isinstance(value, float)
        else str(value)
    )
