"""What the examples measure, on markets where it is known; that they keep the contract stands in test_conformance."""

from __future__ import annotations

import numpy as np

from synthcity.authored.examples import FEATURES
from synthcity.authored.feature import FeatureSource, open_feature
from synthcity.authored.history import Floats
from synthcity.authored.panel import Grid, Panel

START = 1_740_787_200


def panel(volatility: Floats) -> Panel:
    """Prices of (n, assets) volatilities a five-minute step."""
    steps = volatility * np.random.default_rng(3).standard_normal(volatility.shape)
    close = 100 * np.exp(np.cumsum(steps, axis=0))
    time = START + 300 * np.arange(1, len(close) + 1)
    grid = Grid(time=time, values=np.repeat(close[:, :, None], 5, axis=2))
    return Panel(assets=("BTC", "ETH"), resolution=300, grids={300: grid}, series={})


def test_bursts_on_a_minute_are_found() -> None:
    n = 14 * 288
    at = (START + 300 * np.arange(1, n + 1)) % 3600 == 900
    known = panel(0.001 * np.where(at, 2.0, 1.0)[:, None] * np.ones((n, 2)))
    now = known.grids[300].time[-1:]
    with open_feature(FeatureSource.of(FEATURES["minute_bursts"]), known) as feature:
        found = feature.future(now, now[:, None] + 300 * np.arange(1, 13))[0, :, :, 0]
    hot = (now + 300 * np.arange(1, 13)) % 3600 == 900
    assert found[:, hot].min() > 0.4
    assert found[:, ~hot].max() < 0.0


def test_a_move_of_the_other_asset_is_told() -> None:
    n = 3 * 288
    volatility = 0.001 * np.ones((n, 2))
    volatility[-12:, 0] *= 4.0
    known = panel(volatility)
    with open_feature(FeatureSource.of(FEATURES["others_move"]), known) as feature:
        found = feature.past(known.grids[300].time[-1:])[0]
    assert found[1].min() > 0.7
    assert found[0].max() < 0.5
