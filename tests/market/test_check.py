from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from synthcity.errors import DataError, SourceError
from synthcity.market.check import check_bars
from tests.market.factories import START, make_bars


def spoiled(column: str, row: int, value: float):
    bars = make_bars(6)
    values = getattr(bars, column).copy()
    values[row] = value
    return replace(bars, **{column: values})


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("close", np.nan, "not finite and positive"),
        ("open", np.inf, "not finite and positive"),
        ("low", 0.0, "not finite and positive"),
        ("close", -1.0, "not finite and positive"),
        ("high", 1.0, "its high below its low"),
        ("close", 200.0, "opens or closes outside"),
        ("volume", -1.0, "volume that is negative"),
        ("volume", np.nan, "volume that is negative"),
        ("time", START + 3 * 300, "repeats the time of the bar before"),
        ("time", START - 300, "is earlier than the bar before"),
        ("time", START + 4 * 300 + 7, "300-second grid"),
    ],
)
def test_first_bad_bar_is_named(column, value, message):
    with pytest.raises(DataError, match=message) as caught:
        check_bars(spoiled(column, 4, value), "BTC.csv")
    assert str(caught.value).startswith("BTC.csv: bar 5 (")


def test_the_first_of_several_is_named():
    bars = make_bars(6)
    close, volume = bars.close.copy(), bars.volume.copy()
    close[4], volume[2] = np.nan, -1
    with pytest.raises(DataError, match=r"bar 3 .*volume"):
        check_bars(replace(bars, close=close, volume=volume), "x")


def test_good_and_empty_bars_pass_and_the_exception_is_chosen():
    check_bars(make_bars(6), "x")
    check_bars(make_bars(0), "x")
    with pytest.raises(SourceError, match=r"^binance: bar 1 .*; ask again$"):
        check_bars(spoiled("close", 0, np.nan), "binance", "ask again", SourceError)
