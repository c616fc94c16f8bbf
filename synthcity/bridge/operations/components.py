"""Blocks, heads and presets: what networks are made of."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from pydantic import Field
from typing_extensions import TypedDict

from synthcity.bridge.operation import Answer, Asked, Input, Nothing, Operation
from synthcity.errors import ConfigError
from synthcity.plugins import is_reference

WIDTH = 32  # for which parameters are counted


class Component(TypedDict):
    """A block or head, as the command ``components`` prints it in short."""

    name: str
    about: str
    causal: bool
    options: dict[str, Any]
    num_parameters: int


class Blocks(TypedDict):
    """All blocks."""

    blocks: list[Component]


class Heads(TypedDict):
    """All heads."""

    heads: list[Component]


class PresetTold(TypedDict):
    """A known-good network."""

    name: str
    about: str
    architecture: str
    config: dict[str, Any]


class Presets(TypedDict):
    """All presets."""

    presets: list[PresetTold]


class Validated(TypedDict):
    """Whether a network can be built; ``reason`` says why not."""

    valid: bool
    reason: str | None
    architecture: str | None


class Network(Input):
    """A network by its parts."""

    blocks: list[str] = Field([], max_length=8, description="Blocks, first to last.")
    head: str = Field("gbm", max_length=60, description="What makes paths.")
    options: dict[str, int | float | str | bool] = Field(
        {}, max_length=40, description="Options such as d_model, head.hidden or block0.n_heads."
    )


def _validate(asked: Asked[Network]) -> Answer:
    from synthcity.nets.config import NetConfig
    from synthcity.search.candidates.notation import sketch
    from synthcity.search.handpicked import compose

    given = asked.given
    try:
        if named := [name for name in (*given.blocks, given.head) if is_reference(name)]:
            raise ConfigError(f"{named[0]!r} would be imported; the bridge takes installed components alone")
        settings = [f"{name}={json.dumps(value)}" for name, value in given.options.items()]
        network, others = compose(given.blocks, given.head, settings)
        if others:
            raise ConfigError(f"{others[0].partition('=')[0]} is no option of a network")
        NetConfig.from_dict(network)
    except ConfigError as error:
        return {"valid": False, "reason": str(error), "architecture": None}
    return {"valid": True, "reason": None, "architecture": sketch(network)}


@cache
def _components(kind: str) -> list[Component]:
    from synthcity.nets.registry import find

    return [
        {
            "name": entry.name,
            "about": entry.doc.partition("\n")[0],
            "causal": entry.causal,
            "options": {option.name: option.default for option in entry.parameters},
            "num_parameters": entry.num_parameters(WIDTH),
        }
        for entry in find(None)
        if entry.kind == kind
    ]


def _blocks(asked: Asked[Nothing]) -> Answer:
    return {"blocks": _components("block")}


def _heads(asked: Asked[Nothing]) -> Answer:
    return {"heads": _components("head")}


def _presets(asked: Asked[Nothing]) -> Answer:
    from synthcity.search.candidates.notation import sketch
    from synthcity.search.candidates.presets import presets

    return {
        "presets": [
            {"name": one.name, "about": one.doc, "architecture": sketch(one.config), "config": dict(one.config)}
            for one in presets().values()
        ]
    }


OPERATIONS: tuple[Operation[Any], ...] = (
    Operation(
        name="blocks",
        about="List the blocks that networks are made of, with their options and sizes.",
        route="/components/blocks",
        takes=Nothing,
        gives=Blocks,
        act=_blocks,
    ),
    Operation(
        name="heads",
        about="List the heads that turn features into price paths, with their options and sizes.",
        route="/components/heads",
        takes=Nothing,
        gives=Heads,
        act=_heads,
    ),
    Operation(
        name="presets",
        about="List the known-good networks that a sweep trains by name.",
        route="/components/presets",
        takes=Nothing,
        gives=Presets,
        act=_presets,
    ),
    Operation(
        name="validate",
        about="Say whether a network can be built, before it is trained.",
        route="/experiment/validate",
        takes=Network,
        gives=Validated,
        act=_validate,
        has_body=True,
    ),
)
