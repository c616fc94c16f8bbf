from __future__ import annotations

import pickle

import numpy as np
import pytest

from synthcity.errors import DataError
from synthcity.market.bars import History, Market
from synthcity.market.columns import take
from tests.market.factories import START, assert_equal, make_bars

BARS = make_bars(20)
MARKET = Market({("BTC", 300): BARS, ("BTC", 60): make_bars(30, resolution=60)})


@pytest.mark.parametrize(("after", "num_seen"), [(0, 0), (299, 0), (300, 1), (301, 1), (599, 1), (600, 2), (6000, 20)])
def test_a_bar_is_seen_once_it_has_closed(after, num_seen):
    assert_equal(BARS.until(START + after), BARS.slice(0, num_seen))
    assert len(MARKET.until(START + after)["BTC", 300]) == num_seen
    assert len(MARKET.as_of(START + after).bars("BTC", 300)) == num_seen
    assert MARKET.as_of(START + after).has("BTC", 300) is (num_seen > 0)


def test_a_history_never_looks_ahead_of_its_now():
    history = MARKET.as_of(START + 900)
    assert history.until(START + 600).now == START + 600
    assert len(history.until(START + 600).bars("BTC", 300)) == 2
    later = history.until(START + 3000)
    assert later.now == START + 900
    assert len(later.bars("BTC", 300)) == 3
    assert later.last_price("BTC", 300) == BARS.close[2]
    assert len(history.until(START + 300).until(START + 900).bars("BTC", 300)) == 1


def test_the_price_of_the_grid_is_the_close_observed_exactly_then():
    gappy = take(BARS, np.arange(20) != 4)
    times = START + np.array([0, 300, 301, 1200, 1500, 1800, 6000, 6300])
    expected = [np.nan, BARS.close[0], np.nan, BARS.close[3], np.nan, BARS.close[5], BARS.close[19], np.nan]
    np.testing.assert_array_equal(gappy.grid_price(times), expected)
    np.testing.assert_array_equal(gappy.grid_price(times.reshape(2, 4)), np.reshape(expected, (2, 4)))
    assert np.isnan(BARS.slice(0, 0).grid_price(times)).all()
    np.testing.assert_array_equal(MARKET.realised("BTC", times[:2], 300), [np.nan, BARS.close[0]])


def test_what_is_not_there_is_said():
    with pytest.raises(DataError, match="no 300-second bars of ETH; this history holds BTC 300s, BTC 60s"):
        MARKET.as_of(START).bars("ETH", 300)
    with pytest.raises(DataError, match="no price of BTC observed up to 2025-01-01 00:00"):
        MARKET.as_of(START).last_price("BTC", 300)
    assert not MARKET.as_of(START + 9000).has("ETH", 300)


def test_a_market_travels():
    assert_equal(pickle.loads(pickle.dumps(MARKET))["BTC", 300], BARS)
    assert isinstance(MARKET.as_of(START), History)
    assert MARKET.as_of(START).keys == (("BTC", 300), ("BTC", 60))
