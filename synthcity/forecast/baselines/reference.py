"""The network's reference miner: independent normal steps with one fixed volatility an asset."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from synthcity.forecast.baselines.base import Baseline
from synthcity.forecast.baselines.draws import Draws
from synthcity.market.bars import Bars
from synthcity.sn50.prompt import Prompt

# Standard deviation of one hour's return, as the network publishes it for its reference miner. SPYX is the
# former name of SP500.
HOURLY_SIGMA = {
    "BTC": 0.00541,
    "ETH": 0.00766,
    "SOL": 0.00858,
    "XRP": 0.00956,
    "HYPE": 0.01131,
    "XAU": 0.00312,
    "WTIOIL": 0.00639,
    "SP500": 0.00157,
    "SPYX": 0.00157,
    "NVDAX": 0.00338,
    "TSLAX": 0.00337,
    "AAPLX": 0.00259,
    "GOOGLX": 0.00322,
}
OTHER_SIGMA = 0.005  # the reference miner's value for an asset without one, e.g. SPCX


@dataclass(frozen=True, kw_only=True)
class ReferenceConfig:
    """``hourly_sigma`` overrides the published table, by asset."""

    hourly_sigma: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for asset, sigma in self.hourly_sigma.items():
            if not 0 < sigma < 1:
                raise ValueError(f"hourly_sigma of {asset} must lie between 0 and 1, got {sigma}")


class Reference(Baseline):
    """Looks at the last price and at nothing else."""

    name = "reference"

    def __init__(self, config: ReferenceConfig | None = None) -> None:
        self.config = config or ReferenceConfig()
        self._sigma = {**HOURLY_SIGMA, **self.config.hourly_sigma}

    def log_steps(self, bars: Bars, prompt: Prompt, draws: Draws) -> NDArray[np.float64]:
        """Draw normal steps; see ``Baseline.log_steps``."""
        sigma = self._sigma.get(prompt.asset, OTHER_SIGMA) * np.sqrt(prompt.time_increment / 3600)
        steps: NDArray[np.float64] = sigma * draws.normal(prompt.num_simulations, prompt.num_steps)
        return steps
