"""Student-t steps whose variance is an exponentially weighted mean of squared returns (RiskMetrics, 1996)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthcity.forecast.baselines.base import Baseline
from synthcity.forecast.baselines.draws import Draws
from synthcity.forecast.baselines.returns import log_returns, require
from synthcity.market.bars import Bars
from synthcity.schema import key
from synthcity.sn50.prompt import Prompt


@dataclass(frozen=True, kw_only=True)
class EwmaConfig:
    """``half_life_hours`` of trading time; ``degrees_of_freedom`` of the steps, above 2."""

    half_life_hours: float = key(12.0, low=0.01, high=100_000)
    degrees_of_freedom: float = key(4.0, low=2, high=1e6)
    min_returns: int = key(36, low=2, high=1_000_000)

    def __post_init__(self) -> None:
        if self.degrees_of_freedom <= 2:
            raise ValueError(f"degrees_of_freedom must exceed 2 for a variance, got {self.degrees_of_freedom}")


class Ewma(Baseline):
    """Fat tails around a volatility that forgets."""

    name = "ewma"

    def __init__(self, config: EwmaConfig | None = None) -> None:
        self.config = config or EwmaConfig()

    def log_steps(self, bars: Bars, prompt: Prompt, draws: Draws) -> NDArray[np.float64]:
        """Draw Student-t steps; see ``Baseline.log_steps``."""
        half_life = self.config.half_life_hours * 3600 / bars.resolution
        # what lies ten half-lives back weighs a thousandth
        returns = log_returns(bars, last_bars=round(10 * half_life))
        require(returns, self.config.min_returns, prompt.asset, self.name)
        weights = 0.5 ** (np.arange(len(returns.value))[::-1] / half_life)
        nu = self.config.degrees_of_freedom
        scale = np.sqrt(np.average(returns.value**2, weights=weights) * (nu - 2) / nu)
        steps: NDArray[np.float64] = scale * draws.student(nu, prompt.num_simulations, prompt.num_steps)
        return steps
