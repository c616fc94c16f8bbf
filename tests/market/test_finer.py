from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from synthcity.market.bars import Bars, Market
from synthcity.market.columns import bars_of_closes, take
from synthcity.market.finer import COARSE, draw_finer, lengthen
from synthcity.market.resample import resample
from synthcity.market.simulated import SimulatedConfig, SimulatedMarket
from tests.market.factories import assert_equal, make_bars


@pytest.fixture(scope="module")
def market() -> SimulatedMarket:
    return SimulatedMarket(SimulatedConfig(days=20))


def drawn(bars: Bars, seed: int = 0) -> Bars:
    return draw_finer(bars, 60, np.random.default_rng(seed))


def test_coarse_moves_stay_and_the_rest_moves_like_the_market(market: SimulatedMarket):
    coarse, real = market.bars("BTC", 300), market.bars("BTC", 60)
    made = drawn(coarse)
    again, num_left_out = resample(made, 300)
    assert num_left_out == 0
    np.testing.assert_array_equal(again.time, coarse.time)
    np.testing.assert_allclose(again.close, coarse.close)
    assert (made.low <= np.minimum(made.open, made.close)).all()
    assert (made.high >= np.maximum(made.open, made.close)).all()
    sizes = [np.abs(np.diff(np.log(bars.close))).mean() for bars in (made, real)]
    assert sizes[0] == pytest.approx(sizes[1], rel=0.1)
    ranges = [np.log(bars.high / bars.low).mean() for bars in (made, real)]
    assert ranges[0] == pytest.approx(ranges[1], rel=0.25)


def test_a_move_before_a_gap_is_not_spread_behind_it():
    coarse = make_bars(40, resolution=300)
    made = drawn(take(coarse, np.arange(40) != 10))
    behind = made.time >= coarse.time[11]
    np.testing.assert_allclose(made.open[behind][0], coarse.open[11])
    assert len(made) == 5 * 39


def test_closes_alone_are_enough(market: SimulatedMarket):
    coarse = market.bars("BTC", 300)
    made = drawn(bars_of_closes(coarse.time, coarse.close, 300))
    np.testing.assert_allclose(made.close[4::5], coarse.close)
    assert np.isfinite(made.high).all()


def test_only_multiples_can_be_drawn():
    with pytest.raises(ValueError, match="bars of 120 s cannot be drawn within bars of 300 s"):
        draw_finer(make_bars(3, resolution=300), 120, np.random.default_rng(0))


def test_a_market_grows_before_its_first_minute_alone(market: SimulatedMarket):
    coarse, real = market.bars("BTC", 300), market.bars("BTC", 60)
    own = real.slice(len(real) // 2 + 2, len(real))  # begins within five minutes
    eth = market.bars("ETH", 60)
    before = Market({("BTC", 60): own, ("ETH", 60): eth})
    since = int(coarse.time[0]) + 86_400
    found = lengthen(before, {"BTC": coarse, "ETH": market.bars("ETH", 300)}, 60, since)
    longer = found["BTC", 60]
    assert_equal(longer.slice(len(longer) - len(own), len(longer)), own)
    assert longer.time[0] == since
    assert (np.diff(longer.time) >= 60).all()
    assert longer.observed[len(longer) - len(own) - 1] == own.time[0] // COARSE * COARSE
    assert_equal(found["ETH", 60], eth)
    assert_equal(lengthen(before, {"BTC": coarse}, 60, since)["BTC", 60], longer)
    other = dataclasses.replace(coarse, close=coarse.close * 1.0)
    assert_equal(lengthen(before, {"BTC": other}, 60, since)["BTC", 60], longer)
