"""How volatility answers to events of a kind: a multiplier for each minute around them, as it was known at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from synthcity.durations import MINUTE
from synthcity.market.bars import Floats
from synthcity.market.calendar.events.event import Kind

EDGES = (-15, 0, 5, 10, 15, 30, 60, 120, 240)
"""Minutes since an event between which its multiplier is constant; outside it is 1."""

FIRST_SECOND, LAST_SECOND = EDGES[0] * MINUTE, EDGES[-1] * MINUTE
NUM_BINS = len(EDGES) - 1
OPENING = 5  # minutes of the first bin after an event, told apart where there were minute bars to learn from

Curve = tuple[float, ...]
"""A multiplier for each span between two ``EDGES``."""


@dataclass(frozen=True, kw_only=True)
class Responses:
    """What events did to volatility, learned from nothing observed after ``until``.

    Attributes:
        until: unix seconds.
        num_events: by kind, that were learned from.
        pooled: curves by kind, over all assets.
        own: curves by kind and asset, for those whose prices were learned from.
        opening: (5,) by minute of the first five, of mean square 1: how their volatility is spread.
    """

    until: int
    num_events: Mapping[Kind, int]
    pooled: Mapping[Kind, Curve]
    own: Mapping[Kind, Mapping[str, Curve]] = field(default_factory=dict)
    opening: Curve = (1.0,) * OPENING

    @classmethod
    def read(cls, plain: Mapping[str, Any]) -> Responses:
        """Build from what ``plain`` wrote."""
        return cls(
            until=int(plain["until"]),
            num_events={Kind(kind): int(count) for kind, count in plain["num_events"].items()},
            pooled={Kind(kind): tuple(curve) for kind, curve in plain["pooled"].items()},
            own={Kind(k): {asset: tuple(c) for asset, c in curves.items()} for k, curves in plain["own"].items()},
            opening=tuple(plain["opening"]),
        )

    def plain(self) -> dict[str, object]:
        """Return what JSON can hold."""
        return {
            "until": self.until,
            "num_events": dict(self.num_events),
            "opening": self.opening,
            "pooled": dict(self.pooled),
            "own": {kind: dict(curves) for kind, curves in self.own.items()},
        }

    def minutes(self, kind: Kind, asset: str) -> Floats | None:
        """Multipliers by minute from ``EDGES[0]`` to ``EDGES[-1]``, (255,); None for a kind without any effect."""
        return self._tables.get((kind, asset), self._tables.get((kind, "")))

    @cached_property
    def _tables(self) -> dict[tuple[Kind, str], Floats]:
        curves = {(kind, ""): curve for kind, curve in self.pooled.items()}
        curves |= {(kind, asset): curve for kind, by_asset in self.own.items() for asset, curve in by_asset.items()}
        return {key: self._spread(curve) for key, curve in curves.items()}

    def _spread(self, curve: Curve) -> Floats:
        table = np.repeat(np.array(curve, dtype=np.float64), np.diff(EDGES))
        table[-EDGES[0] : OPENING - EDGES[0]] *= self.opening
        return table
