"""Independent normal steps with the volatility of the last 24 hours of trading."""

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
class TrailingConfig:
    """``window_hours`` of trading time to measure over; at least ``min_returns`` of it must be there."""

    window_hours: float = key(24.0, low=0.01, high=100_000)
    min_returns: int = key(12, low=2, high=1_000_000)


class Trailing(Baseline):
    """One volatility, measured without a mean: over a day the drift is noise."""

    name = "trailing"

    def __init__(self, config: TrailingConfig | None = None) -> None:
        self.config = config or TrailingConfig()

    def log_steps(self, bars: Bars, prompt: Prompt, draws: Draws) -> NDArray[np.float64]:
        """Draw normal steps; see ``Baseline.log_steps``."""
        window = round(self.config.window_hours * 3600 / bars.resolution)
        returns = log_returns(bars, last_bars=window)
        require(returns, self.config.min_returns, prompt.asset, self.name)
        sigma = np.sqrt(np.mean(returns.value**2))
        steps: NDArray[np.float64] = sigma * draws.normal(prompt.num_simulations, prompt.num_steps)
        return steps
