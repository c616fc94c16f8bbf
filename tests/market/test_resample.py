from __future__ import annotations

import numpy as np
import pytest

from synthcity.market.columns import bars_of_closes, take
from synthcity.market.resample import resample
from synthcity.market.simulated import SimulatedConfig, SimulatedMarket
from tests.market.factories import START, assert_equal, make_bars


def test_it_makes_what_the_market_shows_itself():
    market = SimulatedMarket(SimulatedConfig(days=2))
    made, num_left_out = resample(market.bars("BTC", 60), 300)
    assert num_left_out == 0
    expected = market.bars("BTC", 300)
    for name in ("time", "open", "high", "low", "close"):
        np.testing.assert_array_equal(getattr(made, name), getattr(expected, name))
    np.testing.assert_allclose(made.volume, expected.volume)


def test_a_bar_with_a_missing_part_is_left_out():
    minutes = make_bars(30, start=START + 60, resolution=60)  # begins and ends within five minutes
    made, num_left_out = resample(take(minutes, np.arange(30) != 10), 300)
    assert made.time.tolist() == [START + 300 * k for k in (1, 3, 4, 5)]
    assert num_left_out == 3
    assert_equal(resample(make_bars(0, resolution=60), 300)[0], make_bars(0))


def test_only_multiples_can_be_made():
    with pytest.raises(ValueError, match="300 s cannot be made of bars of 120 s"):
        resample(make_bars(3, resolution=120), 300)


def test_closes_alone_stay_closes_alone():
    minutes = make_bars(30, resolution=60)
    made, _ = resample(bars_of_closes(minutes.time, minutes.close, 60), 300)
    assert_equal(made, bars_of_closes(made.time, minutes.close[4::5], 300))
