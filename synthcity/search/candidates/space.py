"""The typed search space: candidates as flat, conditional parameters and as nested configs.

Flat names: ``d_model``, ``training.learning_rate``, ``num_blocks``, ``block0``, ``block0.lstm.num_layers``,
``head``, ``head.gbm.innovation``. A parameter is active only under the choice it belongs to; ``walk`` visits the
active ones in order, so random sampling, TPE and reading a config back are one loop with another ``pick``.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from synthcity.nets.config import MAX_BLOCKS, RECIPE, NetConfig, parameters
from synthcity.nets.parameters import Parameter
from synthcity.nets.registry import blocks, heads
from synthcity.search.candidates.candidate import Config

Value = Any  # of a parameter: a truth, a number or a name, as its ``kind`` says
Flat = dict[str, Value]
Pick = Callable[[Parameter], Value]
_STEP = 0.2  # of a range, in a move to a neighbour
_FREE = {"learning_rate", "weight_decay", *RECIPE}  # of a training: what makes no step dearer
_SIGNIFICANT_DIGITS = 3  # finer differences in a float are no new candidate


@dataclass(frozen=True)
class Space:
    """Everything a proposer may vary. Parameters and component tables are plain data.

    ``settable`` are parts of a recipe that no proposer varies, since each of them thins out a small search: a person
    sets them, and what a proposer crosses from such a network may keep them.
    """

    shared: tuple[Parameter, ...]
    blocks: Mapping[str, tuple[Parameter, ...]]
    heads: Mapping[str, tuple[Parameter, ...]]
    docs: Mapping[str, str]
    max_blocks: int = MAX_BLOCKS
    settable: tuple[Parameter, ...] = ()

    @classmethod
    def from_registry(cls, max_blocks: int = MAX_BLOCKS, recipe: Collection[str] = ()) -> Space:
        """Build the space of all registered blocks and heads, in which these parts of a recipe are varied."""
        aside = {f"training.{name}" for name in RECIPE if name not in recipe}
        components = {"block": blocks(), "head": heads()}
        return cls(
            shared=tuple(parameter for parameter in parameters() if parameter.name not in aside),
            blocks={name: entry.parameters for name, entry in components["block"].items()},
            heads={name: entry.parameters for name, entry in components["head"].items()},
            docs={f"{kind}.{name}": entry.doc for kind, table in components.items() for name, entry in table.items()},
            max_blocks=min(max_blocks, MAX_BLOCKS),
            settable=tuple(parameter for parameter in parameters() if parameter.name in aside),
        )

    def describe(self) -> dict[str, Any]:
        """Describe the space as plain JSON data, for proposers that read text."""
        tables = {"block": self.blocks, "head": self.heads}
        return {
            "max_blocks": self.max_blocks,
            "shared": [asdict(parameter) for parameter in self.shared],
            **{
                f"{kind}s": {
                    name: {
                        "doc": self.docs.get(f"{kind}.{name}", ""),
                        "parameters": [asdict(parameter) for parameter in options],
                    }
                    for name, options in table.items()
                }
                for kind, table in tables.items()
            },
        }

    def walk(self, pick: Pick) -> Flat:
        """Visit every active parameter in order, asking ``pick`` for its value."""
        flat: Flat = {}

        def ask(parameter: Parameter) -> Value:
            flat[parameter.name] = pick(parameter)
            return flat[parameter.name]

        for parameter in self.shared:
            ask(parameter)
        count = ask(self._named["num_blocks"][0])
        for slot in [*self._slots[:count], "head"]:
            name = ask(self._named[slot][0])
            for parameter in self._named[f"{slot}.{name}"]:
                ask(parameter)
        return flat

    @cached_property
    def _slots(self) -> list[str]:
        return [f"block{index}" for index in range(self.max_blocks)]

    @cached_property
    def _named(self) -> dict[str, tuple[Parameter, ...]]:
        """What a walk asks for, by place, and by place and component: made once, since it walks thousands of times."""
        depth = Parameter(name="num_blocks", kind="int", default=1, low=0, high=self.max_blocks)
        found: dict[str, tuple[Parameter, ...]] = {"num_blocks": (depth,)}
        for slot in (*self._slots, "head"):
            table = self.heads if slot == "head" else self.blocks
            if table:
                found[slot] = (Parameter(name=slot, kind="choice", default=next(iter(table)), choices=tuple(table)),)
            for name, options in table.items():
                found[f"{slot}.{name}"] = tuple(replace(each, name=f"{slot}.{name}.{each.name}") for each in options)
        return found

    def sample(self, rng: np.random.Generator) -> Config:
        """Draw a config uniformly: in the logarithm where a parameter says so, each choice alike."""
        return to_config(self.walk(lambda parameter: draw(parameter, rng)))

    def flatten(self, config: Config) -> Flat:
        """Return the flat form of a config; parameters that it leaves out take their default.

        Those that are only settable are in it where they are set to something else.

        Raises:
            ValueError: the config lies outside the space, e.g. has more blocks.
        """
        settings = {parameter.name: _lookup(config, parameter) for parameter in self.settable}
        set_apart = {p.name: settings[p.name] for p in self.settable if settings[p.name] != p.default}
        return self.walk(lambda parameter: _lookup(config, parameter)) | set_apart

    def distance(self, first: Config, second: Config) -> float:
        """Gower distance in [0, 1] over the parameters active in either config.

        A numeric parameter counts by its difference over its range (in the logarithm where it is searched so), a
        choice or a parameter that only one config has counts 0 or 1.
        """
        ranges: dict[str, Parameter] = {}

        def note(config: Config) -> Pick:
            def pick(parameter: Parameter) -> Value:
                ranges[parameter.name] = parameter
                return _lookup(config, parameter)

            return pick

        a, b = self.walk(note(first)), self.walk(note(second))
        for parameter in self.settable:  # where they say the same, they are no part of it
            if (one := _lookup(first, parameter)) != (other := _lookup(second, parameter)):
                ranges[parameter.name], a[parameter.name], b[parameter.name] = parameter, one, other
        total = sum(_difference(ranges[name], a[name], b[name]) if name in a and name in b else 1.0 for name in ranges)
        return total / len(ranges)


def to_config(flat: Flat) -> Config:
    """Build the nested config of a flat one."""
    slots: dict[str, Flat] = {f"block{i}": {"name": flat[f"block{i}"]} for i in range(flat["num_blocks"])}
    config: Flat = {"blocks": list(slots.values())}
    config["head"] = slots["head"] = {"name": flat["head"]}
    for name, value in flat.items():
        slot, *rest = name.split(".")
        if slot in slots:
            if rest:
                slots[slot][rest[-1]] = value
        elif rest:
            config.setdefault(slot, {})[rest[0]] = value
        elif name != "num_blocks":
            config[name] = value
    return config


def canonical(config: Config) -> Config:
    """Return the one form of all configs that mean the same network: complete, rounded, sorted.

    Raises:
        ConfigError: ``NetConfig.from_dict`` refuses it.
    """
    # twice: defaults must be filled in before rounding, and a rounded value may leave its range
    resolved = NetConfig.from_dict(_rounded(NetConfig.from_dict(config).to_dict())).to_dict()
    plain = json.loads(json.dumps(resolved, sort_keys=True))
    assert isinstance(plain, dict)
    return plain


def config_hash(config: Config) -> str:
    """Hash a canonical config: twelve hex digits."""
    text = json.dumps(config, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def shape(config: Config) -> str:
    """Hash what decides how long a training step takes: a config without its rates and its recipe."""
    training = {name: value for name, value in config.get("training", {}).items() if name not in _FREE}
    return config_hash({**config, "training": training})


def _rounded(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _rounded(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(inner) for inner in value]
    return float(f"{value:.{_SIGNIFICANT_DIGITS}g}") if isinstance(value, float) else value


def draw(parameter: Parameter, rng: np.random.Generator) -> Value:
    """Draw a value uniformly on the parameter's own scale."""
    if parameter.kind == "bool":
        return bool(rng.integers(2))
    if parameter.kind == "choice":
        return parameter.choices[int(rng.integers(len(parameter.choices)))]
    assert parameter.low is not None
    assert parameter.high is not None
    low, high = float(parameter.low), float(parameter.high)
    half = 0.5 if parameter.kind == "int" else 0.0  # every whole number owns a unit of the line
    low, high = low - half, high + half
    value = math.exp(rng.uniform(math.log(low), math.log(high))) if parameter.log else rng.uniform(low, high)
    if parameter.kind == "int":
        return int(min(max(round(value), parameter.low), parameter.high))
    return float(value)


def neighbour(parameter: Parameter, value: Value, rng: np.random.Generator) -> Value:
    """Move to a value nearby: the other truth, the next number up or down, or a normal step of a fifth of the range.

    Choices that are names have no order: any other is as near as the next.
    """
    if parameter.kind == "bool":
        return not value
    if parameter.kind == "choice":
        at = parameter.choices.index(value)
        named = any(isinstance(choice, str) for choice in parameter.choices)
        beside = [i for i in range(len(parameter.choices)) if i != at and (named or abs(i - at) == 1)]
        return parameter.choices[int(rng.choice(beside))] if beside else value
    assert parameter.low is not None
    assert parameter.high is not None
    low, high = float(parameter.low), float(parameter.high)
    if parameter.kind == "int":
        beside = [number for number in (value - 1, value + 1) if low <= number <= high]
        return int(rng.choice(beside)) if beside else int(value)
    if parameter.log:
        return float(min(max(value * (high / low) ** rng.normal(0.0, _STEP), low), high))
    return float(min(max(value + (high - low) * rng.normal(0.0, _STEP), low), high))


def _lookup(config: Config, parameter: Parameter) -> Value:
    slot, *rest = parameter.name.split(".")
    if parameter.name == "num_blocks":
        value: Value = len(config.get("blocks", ()))
    elif slot == "head" or slot.removeprefix("block").isdigit():
        part = config.get("head", {}) if slot == "head" else config["blocks"][int(slot.removeprefix("block"))]
        value = part.get(rest[-1] if rest else "name", parameter.default)
    elif rest:
        value = config.get(slot, {}).get(rest[0], parameter.default)
    else:
        value = config.get(slot, parameter.default)
    if parameter.kind == "choice":
        inside = value in parameter.choices
    elif parameter.kind == "bool":
        inside = isinstance(value, bool)
    else:
        assert parameter.low is not None
        assert parameter.high is not None
        inside = parameter.low <= value <= parameter.high
    if not inside:
        raise ValueError(f"{parameter.name} = {value!r} lies outside the search space")
    return value


def unit(parameter: Parameter, value: Value) -> float:
    """Return where a number lies between the bounds of its parameter, from 0 to 1, on the scale it is searched on."""
    assert parameter.low is not None
    assert parameter.high is not None
    low, high = float(parameter.low), float(parameter.high)
    if parameter.log:
        value, low, high = math.log(value), math.log(low), math.log(high)
    return (value - low) / (high - low) if high > low else 0.0


def _difference(parameter: Parameter, a: Value, b: Value) -> float:
    if parameter.kind in ("bool", "choice"):
        return float(a != b)
    return abs(unit(parameter, a) - unit(parameter, b))
