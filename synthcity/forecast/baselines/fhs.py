"""Filtered historical simulation (Barone-Adesi, Giannopoulos and Vosper, 1999) with a daily profile.

Returns are divided by a time-of-day profile and by a two-speed EWMA volatility; what remains is drawn anew
and dressed in the coming hours' volatility and profile. The strongest statistical baseline here, hence the
one that a winner must beat.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthcity.forecast.baselines.base import Baseline
from synthcity.forecast.baselines.profile import ProfileConfig, slot_of, volatility_profile
from synthcity.forecast.baselines.returns import log_returns, require
from synthcity.market.bars import Bars
from synthcity.sn50.prompt import Prompt

DAY = 86400
Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class FhsConfig:
    """Spans in days or hours; the half-lives count trading time, the histories calendar time."""

    history_days: float = 60.0
    minute_history_days: float = 30.0  # for increments below five minutes
    residual_days: float = 20.0
    fast_half_life_hours: float = 6.0
    slow_half_life_hours: float = 120.0
    fast_weight: float = 0.5
    decay_half_life_hours: float = 12.0
    min_returns: int = 288
    profile: ProfileConfig = field(default_factory=ProfileConfig)


@dataclass(frozen=True, kw_only=True)
class _Fit:
    profile: Floats  # (576,)
    fast: float  # variance of returns / profile
    slow: float
    residuals: Floats  # symmetric, unit variance


class Fhs(Baseline):
    """Profile times two-speed volatility times bootstrapped residuals."""

    name = "fhs"

    def __init__(self, config: FhsConfig | None = None) -> None:
        self.config = config or FhsConfig()

    def log_steps(self, bars: Bars, prompt: Prompt, rng: np.random.Generator) -> Floats:
        """Draw residuals and scale them; see ``Baseline.log_steps``."""
        fit = self._fit(bars, prompt.asset)
        sigma = self._future_sigma(fit, prompt)
        which = rng.integers(0, len(fit.residuals), (prompt.num_simulations, prompt.num_steps), dtype=np.uint32)
        steps = fit.residuals.take(which)
        steps *= sigma
        return steps

    def _fit(self, bars: Bars, asset: str) -> _Fit:
        c = self.config
        days = c.history_days if bars.resolution >= 300 else c.minute_history_days
        returns = log_returns(bars, last_seconds=round(days * DAY))
        require(returns, c.min_returns, asset, self.name)
        profile = volatility_profile(returns, c.profile)
        z = returns.value / profile[slot_of(returns.observed)]
        fast = _ewma(z**2, c.fast_half_life_hours * 3600 / bars.resolution)
        slow = _ewma(z**2, c.slow_half_life_hours * 3600 / bars.resolution)
        variance = c.fast_weight * fast + (1 - c.fast_weight) * slow
        recent = returns.observed[1:] > returns.observed[-1] - c.residual_days * DAY
        with np.errstate(divide="ignore", invalid="ignore"):
            residuals = (z[1:] / np.sqrt(variance[:-1]))[recent]
        residuals = residuals[np.isfinite(residuals)]  # a price that stood still from the first bar on
        residuals /= np.sqrt(np.mean(residuals**2))
        return _Fit(
            profile=profile,
            fast=float(fast[-1]),
            slow=float(slow[-1]),
            residuals=np.concatenate([residuals, -residuals]),
        )

    def _future_sigma(self, fit: _Fit, prompt: Prompt) -> Floats:
        """Volatility of each coming step, (num_steps,): the fast half falls back to the slow one."""
        c = self.config
        ahead = np.arange(1, prompt.num_steps + 1) * prompt.time_increment / 3600
        decay = 0.5 ** (ahead / c.decay_half_life_hours)
        variance = fit.slow + c.fast_weight * (fit.fast - fit.slow) * decay
        sigma: Floats = np.sqrt(variance) * fit.profile[slot_of(prompt.grid[1:])]
        return sigma


def _ewma(x: Floats, half_life: float) -> Floats:
    """Exponentially weighted mean up to and including each point; early points share what there is."""
    mean: Floats = pd.Series(x).ewm(halflife=half_life).mean().to_numpy()
    return mean
