"""Blocks, heads and presets."""

from __future__ import annotations

from jsonschema import validate

from synthcity.bridge.place import Place
from synthcity.bridge.registry import operations
from synthcity.nets.registry import find


def test_all_components_and_presets_are_told(place: Place) -> None:
    told = {name: operations()[name].do({}, place, "default") for name in ("blocks", "heads", "presets")}
    for name, answer in told.items():
        validate(answer, operations()[name].output_schema)
    names = {one["name"] for kind in ("blocks", "heads") for one in told[kind][kind]}
    assert names == {entry.name for entry in find(None)}
    assert "lstm_gbm" in {preset["name"] for preset in told["presets"]["presets"]}
