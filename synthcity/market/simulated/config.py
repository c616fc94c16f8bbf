"""Parameters of the simulated market."""

from __future__ import annotations

from dataclasses import dataclass

from synthcity.durations import DAY
from synthcity.errors import ConfigError
from synthcity.market.times import parse_time
from synthcity.schema import MAX_SEED, check, key


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
        round_the_clock: gold, oil and equities are perpetuals, see ``perpetuals``, instead of keeping their sessions.
        bursts: strength of the bursts on the marks of the clock, see ``season.burst_multipliers``.
        releases_a_week: weekdays of each week on which something is released, see ``releases``.
        release_strength: volatility of the first minute after a release of the stronger kind, relative to others.
        release_half_life_minutes: of what it adds to 1.
    """

    seed: int = key(0, low=0, high=MAX_SEED)
    start: str = "2025-01-01"
    days: int = key(365, low=1, high=36_500)
    fast_half_life_hours: float = key(3.0, low=0.1, high=1e5)
    fast_spread: float = key(0.45, low=0.0, high=10.0)
    slow_half_life_days: float = key(5.0, low=0.01, high=1e4)
    slow_spread: float = key(0.4, low=0.0, high=10.0)
    degrees_of_freedom: float = key(5.0, low=2.1, high=1e6)
    jumps_per_day: float = key(0.5, low=0.0, high=1e4)
    market_jumps_per_day: float = key(0.3, low=0.0, high=1e4)
    jump_size: float = key(4.0, low=0.0, high=1e3)
    seasonality: float = key(1.0, low=0.0, high=100.0)
    round_the_clock: bool = False
    bursts: float = key(0.0, low=0.0, high=10.0)
    releases_a_week: int = key(0, low=0, high=5)
    release_strength: float = key(6.0, low=1.0, high=100.0)
    release_half_life_minutes: float = key(20.0, low=1.0, high=1e4)

    def __post_init__(self) -> None:
        check(self, "simulated market: ")
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
