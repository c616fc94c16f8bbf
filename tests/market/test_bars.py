"""Prices from a notebook: bars by opening time, closes by the time of observation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synthcity.errors import DataError
from synthcity.market.bars import Bars, History, Market

OPENED = pd.date_range("2025-06-01", periods=5, freq="5min", tz="UTC")
FIRST = int(OPENED[0].timestamp())


def frame() -> pd.DataFrame:
    close = np.array([100.0, 101.0, 100.5, 102.0, 101.5])
    columns = {"open": close - 0.2, "high": close + 1, "low": close - 1, "close": close, "volume": 3.0}
    return pd.DataFrame(columns, index=OPENED)


def test_bars_are_known_once_they_closed():
    history = History.from_bars("BTC", frame())
    bars = history.bars("BTC", 300)
    assert history.now == FIRST + 5 * 300
    assert bars.time.tolist() == [FIRST + 300 * k for k in range(5)]
    for name in ("open", "high", "low", "close", "volume"):
        np.testing.assert_array_equal(getattr(bars, name), frame()[name])
    assert history.last_price("BTC", 300) == 101.5


def test_a_gap_stays_a_gap():
    bars = History.from_bars("BTC", frame().drop(OPENED[2])).bars("BTC", 300)
    assert len(bars) == 4
    assert np.isnan(bars.grid_price(np.array([FIRST + 3 * 300]))).all()


def test_further_columns_and_their_order_do_not_matter():
    mixed = frame().assign(trades=7)[["volume", "close", "trades", "low", "high", "open"]]
    np.testing.assert_array_equal(History.from_bars("BTC", mixed).bars("BTC", 300).high, frame()["high"])


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        (
            frame().drop(columns="high"),
            "bars of BTC lack the column 'high'; they need open, high, .* and have open, low",
        ),
        (frame().tz_localize(None), "indexed by UTC time"),
        (frame().reset_index(drop=True), "indexed by UTC time"),
        (frame().iloc[::-1], "strictly increasing"),
        (frame().iloc[:1], "at least two points"),
        (frame().replace(100.0, np.nan), "must be finite and positive, low is not"),
        (
            frame().assign(high=100.0),
            "the bar of BTC at 2025-06-01 00:05:00.* opens or closes outside its low and high",
        ),
    ],
)
def test_what_cannot_be_bars_is_refused(broken: pd.DataFrame, sentence: str):
    with pytest.raises(ValueError, match=sentence):
        History.from_bars("BTC", broken)


def test_of_closes_nothing_else_is_known():
    closes = pd.Series([100.0, 101.0, 102.0], index=OPENED[1:4])
    history = History.from_series("BTC", closes)
    bars = history.bars("BTC", 300)
    assert history.now == int(OPENED[3].timestamp()), "closes are labelled by when they were observed"
    assert bars.close.tolist() == [100.0, 101.0, 102.0]
    for name in ("open", "high", "low", "volume"):
        assert np.isnan(getattr(bars, name)).all(), name


def test_prices_in_any_form_become_a_history():
    history = History.from_bars("BTC", frame())
    assert History.of("BTC", history) is history
    assert History.of("BTC", frame()).last_price("BTC", 300) == 101.5
    assert History.of("BTC", frame()["close"]).last_price("BTC", 300) == 101.5
    with pytest.raises(TypeError, match="a DataFrame of bars or a Series of closes of BTC, not a list"):
        History.of("BTC", [100.0, 101.0])  # type: ignore[arg-type]


def test_until_does_not_look_ahead():
    history = History.from_bars("BTC", frame())
    early = history.until(FIRST + 600)
    assert early.bars("BTC", 300).close.tolist() == [100.0, 101.0]
    assert early.last_price("BTC", 300) == 101.0
    assert early.until(FIRST + 1500).now == early.now, "what was cut off does not come back"


def test_says_what_it_holds_where_it_lacks_bars():
    with pytest.raises(DataError, match="no 60-second bars of BTC; this history holds BTC 300s: give it those bars"):
        History.from_bars("BTC", frame()).bars("BTC", 60)


def test_a_market_is_cut_at_what_was_observed():
    bars = History.from_bars("BTC", frame()).bars("BTC", 300)
    market = Market({("BTC", 300): bars})
    assert len(market.until(FIRST + 899)["BTC", 300]) == 2
    assert len(market.until(FIRST + 900)["BTC", 300]) == 3
    assert isinstance(bars.until(FIRST), Bars)
    assert len(bars.until(FIRST)) == 0
