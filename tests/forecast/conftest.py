"""Small seeded markets."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from synthcity.market.bars import Bars, Market

START = 1_748_736_000  # Sunday 2025-06-01 00:00 UTC
DAY = 86400


def make_bars(
    days: float = 70, resolution: int = 300, sigma: float = 0.001, seed: int = 0, price: float = 100.0
) -> Bars:
    """Geometric random walk without a gap, first bar opening at START."""
    time = START + resolution * np.arange(round(days * DAY / resolution))
    steps = sigma * np.random.default_rng(seed).standard_normal(len(time))
    close = price * np.exp(np.cumsum(steps))
    return Bars(time, close, close, close, close, np.ones(len(time)), resolution)


def keep(bars: Bars, mask: np.ndarray) -> Bars:
    """The bars where ``mask`` holds; the others are gaps."""
    columns = (getattr(bars, name)[mask] for name in ("time", "open", "high", "low", "close", "volume"))
    return Bars(*columns, resolution=bars.resolution)


@pytest.fixture(scope="session")
def market() -> Market:
    """70 days of two assets in 5-minute bars."""
    return Market({("BTC", 300): make_bars(seed=1), ("ETH", 300): make_bars(seed=2, sigma=0.0015)})


@pytest.fixture(scope="session")
def sessions() -> Market:
    """An equity: 13:30 to 20:00 UTC on weekdays, nothing else."""
    bars = make_bars(seed=3)
    clock, weekday = bars.time % DAY, (bars.time // DAY + 3) % 7
    mask = (clock >= 13.5 * 3600) & (clock < 20 * 3600) & (weekday < 5)
    return Market({("SP500", 300): keep(bars, mask)})


@pytest.fixture(scope="session")
def bars_factory() -> Callable[..., Bars]:
    """``make_bars`` for tests that plant a law of their own."""
    return make_bars
