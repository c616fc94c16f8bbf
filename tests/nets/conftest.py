"""Small, seeded material for the tests of networks."""

import numpy as np
import pytest
import torch

from synthcity.market.bars import Bars, Market
from synthcity.market.dataset import Dataset, build_dataset
from synthcity.market.windows import WindowSpec

START = 1_735_689_600  # 2025-01-01 00:00 UTC


def seasonal_bars(days: int, seed: int, resolution: int = 3600) -> Bars:
    """Hourly walk whose volatility has a strong daily season and clusters: something to learn."""
    rng = np.random.default_rng(seed)
    n = days * 86400 // resolution
    time = START + resolution * np.arange(n, dtype=np.int64)
    level = np.zeros(n)
    for i in range(1, n):
        level[i] = 0.97 * level[i - 1] + 0.12 * rng.normal()
    sigma = 1e-3 * np.exp(level + 0.8 * np.sin(2 * np.pi * time / 86400))
    close = 100 * np.exp(np.cumsum(sigma * rng.standard_t(5, n)))
    return Bars(time, close, close * np.exp(sigma), close * np.exp(-sigma), close, np.ones(n), resolution)


@pytest.fixture(scope="session")
def dataset() -> Dataset:
    """Two assets on an hourly grid with a day's horizon: real code paths at a fraction of the cost."""
    spec = WindowSpec.of(300, 288)
    market = Market({(asset, 300): seasonal_bars(24, seed, 300) for seed, asset in enumerate(("BTC", "ETH"))})
    day = 86400
    return build_dataset(
        market,
        competition="crypto-24h",
        rules="2026-09",
        spec=spec,
        assets=("BTC", "ETH"),
        train=(START + 7 * day, START + 17 * day),
        validation=(START + 18 * day, START + 24 * day),
        validation_every=6 * 3600,
        coefficients={"BTC": 1.0, "ETH": 0.7},
    )


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)
