"""Parameters of the simulated market."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

from synthcity.durations import DAY
from synthcity.errors import ConfigError
from synthcity.market.times import parse_time

_LOWEST = {"days": 1, "fast_half_life_hours": 0.1, "slow_half_life_days": 0.01, "degrees_of_freedom": 2.1}


@dataclass(frozen=True, kw_only=True)
class SimulatedConfig:
    """The law of the simulated market; equal values give equal bars, whatever part of them is asked for.

    Attributes:
        seed: chooses the history.
        start: first day, ISO date (UTC). Every bar is drawn onwards from here.
        days: length; a longer market begins with the same bars as a shorter one.
        fast_half_life_hours: half-life of the fast part of log-volatility; at least 0.1.
        fast_spread: its standard deviation in the long run.
        slow_half_life_days: half-life of the slow part of log-volatility.
        slow_spread: its standard deviation in the long run.
        degrees_of_freedom: of the Student-t that a 5-minute return follows; at least 2.1.
        jumps_per_day: jumps of one asset alone.
        market_jumps_per_day: jumps that a whole group (crypto, equities, ...) makes together.
        jump_size: standard deviation of a jump in units of the 5-minute volatility of the moment.
        seasonality: strength of the daily and weekly volatility profile; 0 switches it off.
    """

    seed: int = 0
    start: str = "2025-01-01"
    days: int = 365
    fast_half_life_hours: float = 3.0
    fast_spread: float = 0.45
    slow_half_life_days: float = 5.0
    slow_spread: float = 0.4
    degrees_of_freedom: float = 5.0
    jumps_per_day: float = 0.5
    market_jumps_per_day: float = 0.3
    jump_size: float = 4.0
    seasonality: float = 1.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            low = _LOWEST.get(field.name, 0)
            whole = field.name in ("seed", "days")
            if field.name != "start" and not (_is_number(value, whole) and value >= low):
                kind = "a whole number" if whole else "a number"
                raise ConfigError(f"simulated market: {field.name} must be {kind} from {low} up, got {value!r}")
        if self.epoch % DAY:
            raise ConfigError(f"simulated market: start must be a date, got {self.start!r}")

    @property
    def epoch(self) -> int:
        """Unix second of the first bar."""
        return parse_time(self.start)

    @property
    def end(self) -> int:
        """Unix second at which the last bar ends."""
        return self.epoch + self.days * DAY


def _is_number(value: object, whole: bool) -> bool:
    kinds = (int,) if whole else (int, float)
    return isinstance(value, kinds) and not isinstance(value, bool) and math.isfinite(value)
