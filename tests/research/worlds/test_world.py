from __future__ import annotations

import numpy as np
import pytest

from synthcity.errors import ConfigError
from synthcity.market.simulated import SimulatedMarket
from synthcity.research.worlds.world import draw_world, louder


def test_the_seed_decides_the_kind_and_the_same_world_comes_again() -> None:
    kinds = {draw_world(seed, ("BTC",), "2025-01-01", 30).truth["kind"] for seed in range(12)}
    assert len(kinds) >= 4
    once, again = (draw_world(4, ("BTC",), "2025-01-01", 30) for _ in range(2))
    assert once.truth == again.truth
    assert np.array_equal(once.market["BTC", 300].close, again.market["BTC", 300].close)


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ConfigError, match="lead-lag"):
        draw_world(0, ("BTC",), "2025-01-01", 30, kind="leadlag")


def test_louder_bars_are_bars_and_as_they_were_where_nothing_is_louder() -> None:
    bars = SimulatedMarket().bars("BTC", 300, None, SimulatedMarket().config.epoch + 86_400)
    same = louder(bars, np.ones(len(bars)))
    assert np.allclose(same.close, bars.close)
    assert np.allclose(same.high, bars.high)
    twice = louder(bars, np.full(len(bars), 2.0))
    assert np.allclose(np.diff(np.log(twice.close)), 2 * np.diff(np.log(bars.close)), atol=1e-9)
    assert (twice.high >= np.maximum(twice.open, twice.close) - 1e-9).all()
    assert (twice.low <= np.minimum(twice.open, twice.close) + 1e-9).all()
