from __future__ import annotations

import numpy as np
import pytest

from synthcity.market.calendar.sessions import is_open
from synthcity.market.simulated import SimulatedConfig
from synthcity.market.simulated.assets import ASSETS
from synthcity.market.simulated.law import Streams, autoregression, cell_sigma, draw_cells, draw_returns
from synthcity.market.simulated.season import log_profile

BTC, ETH, SP500 = ASSETS["BTC"], ASSETS["ETH"], ASSETS["SP500"]
CONFIG = SimulatedConfig()
WEEK = CONFIG.epoch + 300 * np.arange(7 * 288)


def test_autoregression_is_the_recursion_and_a_prefix_of_a_longer_one():
    shocks = np.random.default_rng(0).normal(size=(2, 700))
    expected, last = np.empty_like(shocks), np.full(2, 1.5)
    for t in range(700):
        last = 0.9 * last + shocks[:, t]
        expected[:, t] = last
    actual = autoregression(1.5, shocks, 0.9)
    np.testing.assert_allclose(actual, expected, rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(autoregression(1.5, shocks[:, :333], 0.9), actual[:, :333])


def test_streams_repeat_and_differ_by_name_and_entropy():
    first = Streams(1).rng("a").random(3)
    np.testing.assert_array_equal(first, Streams(1).rng("a").random(3))
    assert not np.array_equal(first, Streams(1).rng("b").random(3))
    assert not np.array_equal(first, Streams(2).rng("a").random(3))


@pytest.mark.parametrize("kind", ["return", "slow"])
def test_shocks_are_standard_and_correlated_by_group(kind):
    pairs = {
        asset.name: Streams(0).normals(kind, asset, asset.group.return_loadings, (200_000,))
        for asset in (BTC, ETH, SP500)
    }
    correlation = np.corrcoef(list(pairs.values()))
    assert [values.std() for values in pairs.values()] == pytest.approx([1, 1, 1], abs=0.01)
    assert correlation[0, 1] == pytest.approx(0.35**2 + 0.75**2, abs=0.01)
    assert correlation[0, 2] == pytest.approx(0.35**2, abs=0.01)


@pytest.mark.parametrize("asset", ASSETS.values(), ids=ASSETS)
def test_squares_of_the_profile_average_one_over_open_hours(asset):
    for strength in (0.0, 1.0):
        profile = np.exp(log_profile(asset.group, WEEK, strength))[is_open(asset.group.session, WEEK)]
        assert np.mean(profile**2) == pytest.approx(1, rel=0.02)


def test_profile_is_busy_at_the_us_open_and_calm_at_weekends():
    def level(day: int, hour: float) -> float:
        at = CONFIG.epoch - 2 * 86400 + day * 86400 + int(hour * 3600)  # day 0 is Monday
        return float(log_profile(BTC.group, np.array([at]), 1.0)[0])

    assert level(1, 15) > level(1, 0.75) > level(1, 5.5)
    assert level(1, 15) - level(5, 15) > 0.5


def test_long_run_volatility_without_jumps_is_the_assets_own():
    config = SimulatedConfig(jumps_per_day=0, market_jumps_per_day=0, seasonality=0)
    shape = (4000, 288)
    cells = draw_cells(config, BTC, Streams(3), shape)
    settled = CONFIG.epoch + 300 * np.arange(288)
    settling = np.exp(-2 * (config.fast_spread**2 + config.slow_spread**2 - np.var(cells.fast + cells.slow, axis=0)))
    variance = (cell_sigma(config, BTC, cells, settled) ** 2).mean(axis=0) / settling
    assert np.sqrt(12 * variance.mean()) == pytest.approx(BTC.hourly_sigma, rel=0.03)


@pytest.mark.parametrize("minutes", [1, 5])
def test_returns_have_the_stated_variance(minutes):
    shape = (400_000,)
    returns = draw_returns(CONFIG, BTC, Streams(5), np.full(shape, 0.002), np.ones(shape), minutes)
    jumps = CONFIG.jump_size**2 * (CONFIG.jumps_per_day + CONFIG.market_jumps_per_day) * minutes / 1440
    assert returns.std() == pytest.approx(0.002 * np.sqrt(minutes / 5 + jumps), rel=0.02)
    assert abs(returns).max() > 5 * returns.std()


@pytest.mark.parametrize("part", ["fast", "slow"])
def test_volatilities_move_together_in_a_group_and_a_little_in_the_world(part):
    config = SimulatedConfig(fast_half_life_hours=0.1, slow_half_life_days=0.01)  # shocks soon die, so few cells tell
    cells = {asset.name: draw_cells(config, asset, Streams(0), (100_000,)) for asset in (BTC, ETH, SP500)}
    correlation = np.corrcoef([getattr(found, part) for found in cells.values()])
    assert correlation[0, 1] == pytest.approx(0.4**2 + 0.7**2, abs=0.02)
    assert correlation[0, 2] == pytest.approx(0.4**2, abs=0.02)


def test_a_group_jumps_together_and_an_asset_alone():
    def jumps(asset, **rates):
        config = SimulatedConfig(jump_size=1000.0, **{"jumps_per_day": 0, "market_jumps_per_day": 0, **rates})
        drawn = draw_returns(config, asset, Streams(0), np.ones(50_000), np.ones(50_000), minutes=5)
        return np.abs(drawn) > 20  # beyond any normal

    together = {asset.name: jumps(asset, market_jumps_per_day=5) for asset in (BTC, ETH, SP500)}
    assert together["BTC"].sum() > 500
    assert (together["BTC"] == together["ETH"]).mean() > 0.999
    assert (together["BTC"] & together["SP500"]).sum() < 50
    alone = {asset.name: jumps(asset, jumps_per_day=5) for asset in (BTC, ETH)}
    assert (alone["BTC"] & alone["ETH"]).sum() < 50
