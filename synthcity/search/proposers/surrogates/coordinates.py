"""Where networks lie and how far apart, coordinate by coordinate, in a space where a block brings options of its own.

A parameter that every network has is a coordinate by itself, and so is the name of the block at each place (behind the
last one stands "no block") and of the head. All options of a place are one coordinate together; what a network does
not have counts as if it stood at its default, so that every coordinate is a Euclidean distance and a kernel over them
stays one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from scipy.spatial.distance import cdist

from synthcity.nets.parameters import Parameter
from synthcity.search.candidates.space import Flat, Space, Value, unit

Points = list[np.ndarray]
_NO_BLOCK = "no block"


class Coordinates:
    """Where networks of ``space`` lie: a matrix (networks, columns) for each coordinate.

    Example:
        >>> width = Parameter(name="width", kind="int", default=0, low=0, high=4)
        >>> space = Space(shared=(width,), blocks={}, heads={"gbm": ()}, docs={}, max_blocks=0)
        >>> points = Coordinates(space)([space.flatten({"width": at, "head": {"name": "gbm"}}) for at in (0, 1, 4)])
        >>> squared(points, points).tolist()
        [[[0.0, 0.0625, 1.0], [0.0625, 0.0, 0.5625], [1.0, 0.5625, 0.0]]]
    """

    def __init__(self, space: Space) -> None:
        self._coordinates: list[list[tuple[Parameter, float]]] = []
        depth = Parameter(name="num_blocks", kind="int", default=0, low=0, high=space.max_blocks)
        for parameter in (depth, *space.shared, *space.settable):
            self._add([(parameter, 1.0)])
        for slot in (*(f"block{index}" for index in range(space.max_blocks)), "head"):
            table: Mapping[str, Sequence[Parameter]] = (
                space.heads if slot == "head" else {_NO_BLOCK: (), **space.blocks}
            )
            names = tuple(table)
            self._add([(Parameter(name=slot, kind="choice", default=names[0], choices=names), 1.0)])
            self._add(
                (replace(each, name=f"{slot}.{name}.{each.name}"), 1.0 / math.sqrt(len(options)))
                for name, options in table.items()
                for each in options
            )

    def __call__(self, flats: Sequence[Flat]) -> Points:
        """Return the points of ``flats``."""
        return [_columns(each, flats) for each in self._coordinates]

    def _add(self, weighed: Iterable[tuple[Parameter, float]]) -> None:
        free = [(parameter, weight) for parameter, weight in weighed if parameter.is_free]
        if free:
            self._coordinates.append(free)


def squared(first: Points, second: Points) -> np.ndarray:
    """Return squared distances (coordinates, first, second); 1 at most but for options of unlike blocks."""
    return np.stack([cdist(a, b, "sqeuclidean") for a, b in zip(first, second, strict=True)])


def joined(first: Points, second: Points) -> Points:
    """Return the networks of both."""
    return [np.concatenate(pair) for pair in zip(first, second, strict=True)]


def _columns(weighed: Sequence[tuple[Parameter, float]], flats: Sequence[Flat]) -> np.ndarray:
    """Return what networks lie at (networks, columns); a choice of names is a column a name."""
    found = []
    for parameter, weight in weighed:
        values = [flat.get(parameter.name, parameter.default) for flat in flats]
        if _is_named(parameter):  # any two names lie 1 apart
            found += [[weight * math.sqrt(0.5) * (value == name) for value in values] for name in parameter.choices]
        else:
            found.append([weight * _place(parameter, value) for value in values])
    return np.array(found, dtype=float).reshape(len(found), len(flats)).T


def _place(parameter: Parameter, value: Value) -> float:
    if parameter.kind == "bool":
        return float(value)
    if parameter.kind == "choice":  # of numbers, which have an order
        return parameter.choices.index(value) / (len(parameter.choices) - 1)
    return unit(parameter, value)


def _is_named(parameter: Parameter) -> bool:
    return parameter.kind == "choice" and any(isinstance(choice, str) for choice in parameter.choices)
