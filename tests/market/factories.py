"""Small bars for tests."""

from __future__ import annotations

import numpy as np

from synthcity.market.bars import Bars
from synthcity.market.columns import bars_from_columns

START = 1_735_689_600  # 2025-01-01 00:00 UTC


def make_bars(num_bars: int, *, start: int = START, resolution: int = 300, seed: int = 0) -> Bars:
    """A seeded random walk without gaps."""
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.normal(scale=0.001, size=num_bars)))
    opening = np.concatenate([[100.0], close[:-1]])[:num_bars]
    columns = {
        "open": opening,
        "high": np.maximum(opening, close) * 1.0005,
        "low": np.minimum(opening, close) * 0.9995,
        "close": close,
        "volume": rng.uniform(1, 10, size=num_bars),
    }
    return bars_from_columns(start + resolution * np.arange(num_bars, dtype=np.int64), columns, resolution)


def assert_equal(actual: Bars, expected: Bars) -> None:
    """Every column bit for bit."""
    assert actual.resolution == expected.resolution
    for name in ("time", "open", "high", "low", "close", "volume"):
        np.testing.assert_array_equal(getattr(actual, name), getattr(expected, name), err_msg=name)
