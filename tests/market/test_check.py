from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from synthcity.errors import DataError, SourceError
from synthcity.market.bars import Bars
from synthcity.market.check import check_bars, sift_bars
from synthcity.market.columns import bars_of_closes, concatenate, take
from tests.market.factories import START, assert_equal, make_bars


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
        ("close", 1.0, "opens or closes outside"),
        ("open", 200.0, "opens or closes outside"),
        ("open", 1.0, "opens or closes outside"),
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


def test_good_and_empty_bars_pass_and_the_remedy_is_chosen():
    check_bars(make_bars(6), "x")
    check_bars(make_bars(0), "x")
    with pytest.raises(DataError, match=r"^file: bar 1 .*; ask again$"):
        check_bars(spoiled("close", 0, np.nan), "file", "ask again")


def test_a_bar_that_is_a_close_alone_passes_if_its_close_can_be_and_no_venue_may_send_one():
    bars = make_bars(6)
    closes = bars_of_closes(bars.time, bars.close, bars.resolution)
    check_bars(closes, "x")
    check_bars(concatenate([closes.slice(0, 3), bars.slice(3, 6)], 300), "x")
    spoiled_close = bars.close.copy()
    spoiled_close[2] = -1.0
    with pytest.raises(DataError, match=r"bar 3 .* not finite and positive"):
        check_bars(replace(closes, close=spoiled_close), "x")
    with pytest.raises(DataError, match=r"bar 1 .* volume"):
        check_bars(replace(bars, volume=closes.volume), "x")
    assert len(sift(closes)[0]) == 0


def sift(bars: Bars) -> tuple[Bars, list[str]]:
    told: list[str] = []
    return sift_bars(bars, "venue", told.append), told


def test_what_is_sound_is_kept_in_order_and_nothing_is_told():
    bars = make_bars(20)
    kept, told = sift(take(bars, np.random.default_rng(0).permutation(20)))
    assert_equal(kept, bars)
    assert not told
    assert len(sift(make_bars(0))[0]) == 0


def test_equal_repeats_are_dropped_and_contradicting_ones_left_out():
    bars = make_bars(20)
    kept, told = sift(concatenate([bars, bars.slice(3, 6), bars.slice(3, 4)], 300))
    assert_equal(kept, bars)
    assert not told
    other = replace(bars, close=bars.low).slice(7, 8)
    kept, told = sift(concatenate([bars, other, bars.slice(7, 8)], 300))
    assert_equal(kept, take(bars, np.arange(20) != 7))
    assert told == ["venue: 3 of 22 bars left out: that of 2025-01-01 00:35 comes twice with different values"]


@pytest.mark.parametrize(("column", "value"), [("close", 0.0), ("open", np.nan), ("high", 1e-9), ("volume", -1.0)])
def test_a_bar_that_cannot_be_is_left_out_and_told(column, value):
    kept, told = sift(spoiled(column, 3, value))
    assert_equal(kept, take(make_bars(6), np.arange(6) != 3))
    assert len(told) == 1
    assert told[0].startswith("venue: 1 of 6 bars left out: that of 2025-01-01 00:15")


def test_a_source_of_which_most_cannot_be_is_refused():
    bars = make_bars(20)
    with pytest.raises(SourceError, match=r"venue: 20 of 20 bars cannot be, e\.g\. .* high below its low"):
        sift_bars(replace(bars, high=bars.low * 0.9), "venue", print, SourceError)
