from __future__ import annotations

import time

import numpy as np
import pytest

from synthcity.errors import ConfigError
from synthcity.market.calendar.sessions import is_open
from synthcity.market.check import check_bars
from synthcity.market.simulated import SimulatedConfig, SimulatedMarket
from synthcity.market.simulated.assets import ASSETS
from tests.market.factories import assert_equal

CONFIG = SimulatedConfig(days=60)
DAY = 86400


@pytest.fixture(scope="module")
def simulated() -> SimulatedMarket:
    return SimulatedMarket(CONFIG)


def returns(simulated: SimulatedMarket, asset: str) -> np.ndarray:
    return np.diff(np.log(simulated.bars(asset).close))


@pytest.mark.parametrize("resolution", [60, 300])
@pytest.mark.parametrize("asset", ASSETS)
def test_bars_are_valid_and_only_in_open_sessions(simulated, asset, resolution):
    bars = simulated.bars(asset, resolution)
    check_bars(bars, asset)
    assert is_open(ASSETS[asset].group.session, bars.time).all()
    grid = CONFIG.epoch + resolution * np.arange(CONFIG.days * DAY // resolution)
    assert len(bars) == is_open(ASSETS[asset].group.session, grid).sum()


def test_bars_depend_on_nothing_but_the_parameters(simulated):
    start, end = CONFIG.epoch + 10 * DAY, CONFIG.epoch + 12 * DAY + 300
    alone = SimulatedMarket(CONFIG).bars("ETH", 300, start, end)
    assert_equal(simulated.market(["BTC", "ETH", "XAU"], start, end)["ETH", 300], alone)
    assert len(alone) == 2 * 288 + 1
    whole = simulated.bars("ETH")
    assert_equal(alone, whole.slice(10 * 288, 12 * 288 + 1))
    shorter = SimulatedMarket(SimulatedConfig(days=20)).bars("ETH")
    assert_equal(shorter, whole.slice(0, 20 * 288))


def test_seeds_differ(simulated):
    other = SimulatedMarket(SimulatedConfig(days=60, seed=1))
    assert abs(np.corrcoef(returns(simulated, "BTC"), returns(other, "BTC"))[0, 1]) < 0.05


def test_five_minutes_are_made_of_minutes(simulated):
    minutes, bars = simulated.bars("SOL", 60), simulated.bars("SOL", 300)
    np.testing.assert_array_equal(bars.close, minutes.close[4::5])
    np.testing.assert_array_equal(bars.high, minutes.high.reshape(-1, 5).max(axis=1))
    np.testing.assert_array_equal(bars.open[1:], bars.close[:-1])


@pytest.mark.parametrize("resolution", [60, 300])
def test_ranges_fit_the_path_inside_the_bar(simulated, resolution):
    bars = simulated.bars("BTC", resolution)
    change = np.log(bars.close / bars.open)
    parkinson = np.mean(np.log(bars.high / bars.low) ** 2) / (4 * np.log(2))
    assert np.sqrt(parkinson) == pytest.approx(change.std(), rel=0.1)


def test_stylised_facts(simulated):
    change = returns(simulated, "BTC")
    size = np.abs(change)

    def memory(lag: int) -> float:
        return float(np.corrcoef(size[:-lag], size[lag:])[0, 1])

    assert memory(1) > memory(72) > 0.05  # clustering, fading
    assert memory(1) > 0.15
    assert abs(np.corrcoef(change[:-1], change[1:])[0, 1]) < 0.05
    assert np.mean(change**4) / np.mean(change**2) ** 2 > 8  # heavy tails
    assert change.std() * np.sqrt(12) == pytest.approx(ASSETS["BTC"].hourly_sigma, rel=0.35)
    bars = simulated.bars("BTC")
    assert np.corrcoef(bars.volume, np.log(bars.high / bars.low))[0, 1] > 0.3


def test_correlation_between_assets(simulated):
    btc, eth = returns(simulated, "BTC"), returns(simulated, "ETH")
    assert np.corrcoef(btc, eth)[0, 1] > 0.35
    days = len(btc) // 288
    daily = [np.log((change[: days * 288].reshape(days, 288) ** 2).sum(axis=1)) for change in (btc, eth)]
    assert np.corrcoef(daily)[0, 1] > 0.3


def test_state_is_what_the_bars_show(simulated):
    bars = simulated.bars("BTC")
    state = simulated.state("BTC", int(bars.observed[99]))
    assert state.price == pytest.approx(bars.close[99], rel=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: m.bars("BTX"), "unknown asset 'BTX'; did you mean 'BTC'"),
        (lambda m: m.bars("BTC", 600), "60 and 300 seconds, not 600"),
        (lambda m: m.bars("BTC", 300, CONFIG.epoch - 300), "outside the simulated days"),
        (lambda m: m.bars("BTC", 300, None, CONFIG.end + 300), "outside the simulated days"),
        (lambda m: m.state("BTC", CONFIG.epoch), "no state"),
        (lambda m: m.state("BTC", CONFIG.end + 60), "outside the simulated days"),
    ],
)
def test_nonsense_is_refused(simulated, call, message):
    with pytest.raises(ConfigError, match=message):
        call(simulated)


def test_a_year_of_five_assets_is_quick():
    begin = time.perf_counter()
    SimulatedMarket().market(["BTC", "ETH", "SOL", "XRP", "HYPE"])
    assert time.perf_counter() - begin < 6  # about 1.3 s; the bound leaves room for a busy machine
