"""The key under which bars are kept."""

from __future__ import annotations

import re
from dataclasses import dataclass

from synthcity.durations import DAY
from synthcity.errors import ConfigError
from synthcity.market.times import format_resolution

SIMULATED = "simulated"
"""The venue of prices that nobody ever paid."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


@dataclass(frozen=True, kw_only=True, order=True)
class Series:
    """One asset of one venue at one resolution (seconds); spot and perpetual, 1 m and 5 m are never mixed."""

    asset: str
    venue: str
    resolution: int

    def __post_init__(self) -> None:
        for kind, name in (("asset", self.asset), ("venue", self.venue)):
            if not _NAME.fullmatch(name):
                raise ConfigError(f"{name!r} is no {kind} name; use letters, digits, - and _")
        if self.resolution <= 0 or DAY % self.resolution:
            raise ConfigError(f"resolution {self.resolution} s does not divide a day into whole bars")

    def __str__(self) -> str:
        return f"{self.asset} {format_resolution(self.resolution)} ({self.venue})"
