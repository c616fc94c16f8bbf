"""Filtered historical simulation (Barone-Adesi, Giannopoulos and Vosper, 1999) with a daily profile.

Returns are divided by a time-of-day profile and by a two-speed EWMA volatility; what remains is drawn anew
and dressed in the coming hours' volatility and profile; in trading time where a market closes (``sessions``). The
strongest statistical baseline here, hence the one that a winner must beat.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from synthcity.durations import DAY
from synthcity.forecast.baselines.base import Baseline
from synthcity.forecast.baselines.draws import Draws
from synthcity.forecast.baselines.profile import ProfileConfig, slot_of, volatility_profile
from synthcity.forecast.baselines.returns import log_returns, require
from synthcity.forecast.baselines.sessions import SessionConfig, session_steps
from synthcity.forecast.baselines.volatility import Filtered, TwoSpeed, unit_residuals
from synthcity.market.bars import Bars
from synthcity.market.calendar.week import learn_week
from synthcity.schema import key
from synthcity.sn50.prompt import Prompt

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class FhsConfig:
    """Spans in days or hours; the half-lives count trading time, the histories calendar time.

    ``sessions`` says how to treat an asset that closes or falls still; None treats all alike, by the clock alone.
    """

    history_days: float = key(60.0, low=0.01, high=3660)
    minute_history_days: float = key(30.0, low=0.01, high=3660)  # for increments below five minutes
    residual_days: float = key(20.0, low=0.01, high=3660)
    fast_half_life_hours: float = key(6.0, low=0.01, high=100_000)
    slow_half_life_hours: float = key(120.0, low=0.01, high=100_000)
    fast_weight: float = key(0.5, low=0, high=1)
    decay_half_life_hours: float = key(12.0, low=0.01, high=100_000)
    min_returns: int = key(288, low=2, high=1_000_000)
    profile: ProfileConfig = field(default_factory=ProfileConfig)
    sessions: SessionConfig | None = field(default_factory=SessionConfig)

    @property
    def speeds(self) -> TwoSpeed:
        return TwoSpeed(
            fast_half_life_hours=self.fast_half_life_hours,
            slow_half_life_hours=self.slow_half_life_hours,
            fast_weight=self.fast_weight,
            decay_half_life_hours=self.decay_half_life_hours,
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class _Fit:
    profile: Floats  # (576,)
    filtered: Filtered  # of returns / profile
    residuals: Floats  # symmetric, unit variance


class Fhs(Baseline):
    """Profile times two-speed volatility times bootstrapped residuals."""

    name = "fhs"

    def __init__(self, config: FhsConfig | None = None) -> None:
        self.config = config or FhsConfig()

    def log_steps(self, bars: Bars, prompt: Prompt, draws: Draws) -> Floats:
        """Draw residuals and scale them; see ``Baseline.log_steps``."""
        if self.config.sessions is not None:
            week = learn_week(bars)
            if week.rests:
                return session_steps(bars, week, prompt, self.config.sessions, draws, self.name)
        fit = self._fit(bars, prompt.asset)
        steps = draws.of(fit.residuals, prompt.num_simulations, prompt.num_steps)
        steps *= self._future_sigma(fit, prompt)
        return steps

    def _fit(self, bars: Bars, asset: str) -> _Fit:
        c = self.config
        days = c.history_days if bars.resolution >= 300 else c.minute_history_days
        returns = log_returns(bars, last_seconds=round(days * DAY))
        require(returns, c.min_returns, asset, self.name)
        profile = volatility_profile(returns, c.profile)
        z = returns.value / profile[slot_of(returns.observed)]
        filtered = c.speeds.filter(z, bars.resolution)
        recent = returns.observed > returns.observed[-1] - c.residual_days * DAY
        return _Fit(profile=profile, filtered=filtered, residuals=unit_residuals(z, filtered, recent))

    def _future_sigma(self, fit: _Fit, prompt: Prompt) -> Floats:
        """Volatility of each coming step, (num_steps,)."""
        ahead = np.arange(1, prompt.num_steps + 1) * prompt.time_increment / 3600
        sigma: Floats = np.sqrt(self.config.speeds.ahead(fit.filtered, ahead)) * fit.profile[slot_of(prompt.grid[1:])]
        return sigma
