"""What a validator asks for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthcity.durations import DAY


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """One request for an ensemble of price paths. All times are whole seconds, UTC."""

    asset: str
    start_time: int
    time_increment: int = 300
    time_length: int = DAY
    num_simulations: int = 1000

    def __post_init__(self) -> None:
        if self.time_increment <= 0 or self.time_length <= 0 or self.num_simulations <= 0:
            raise ValueError(f"time_increment, time_length and num_simulations must be positive: {self}")
        if self.time_length % self.time_increment:
            raise ValueError(f"time_length {self.time_length} is no multiple of {self.time_increment}")

    @property
    def num_steps(self) -> int:
        """Steps after t0; a path has one point more."""
        return self.time_length // self.time_increment

    @property
    def grid(self) -> NDArray[np.int64]:
        """Unix times of the path's points, (num_steps + 1,), beginning with ``start_time``."""
        return self.start_time + self.time_increment * np.arange(self.num_steps + 1, dtype=np.int64)
