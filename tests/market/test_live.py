from __future__ import annotations

import numpy as np
import pytest

from synthcity.errors import SourceError
from synthcity.market.columns import take
from synthcity.market.live import RECHECK_SECONDS, LiveSeries
from synthcity.market.store import Store
from tests.market.factories import START, make_bars
from tests.market.test_download import RecordedVenue

DAY = 86400
BARS = make_bars(6 * 288)
NOW = START + 5 * DAY + 130.0  # two minutes into a bar


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path)


def live(store: Store, venue: RecordedVenue, days: float = 4) -> LiveSeries:
    series = LiveSeries(store, venue, "BTC", 300, round(days * DAY))
    series.load(NOW)
    return series


def back_fill(series: LiveSeries) -> None:
    pieces = 0
    while series.is_lacking(NOW):
        series.back_fill(NOW)
        pieces += 1
        assert pieces < 100, "the past is asked for without end"


def test_the_newest_hour_comes_first_then_the_past_backwards(store):
    venue = RecordedVenue()
    series = live(store, venue)
    assert series.is_behind(NOW)
    series.refresh(NOW)
    assert not series.is_behind(NOW)
    assert venue.asked == [(START + 5 * DAY - RECHECK_SECONDS, START + 5 * DAY)]
    back_fill(series)
    assert [end for _, end in venue.asked[1:]] == sorted((end for _, end in venue.asked[1:]), reverse=True)
    np.testing.assert_array_equal(series.bars.time, BARS.time[288:1440])
    np.testing.assert_array_equal(store.load("BTC", 300).close, series.bars.close)
    assert series.health().is_whole


def test_a_bar_counts_as_due_only_once_it_is_final(store):
    series = live(store, RecordedVenue())
    series.refresh(NOW)
    end_of_bar = START + 5 * DAY + 300
    assert not series.is_behind(end_of_bar + 4)
    assert series.is_behind(end_of_bar + 5)


def test_nothing_older_than_the_venues_reach_is_asked_for(store):
    venue = RecordedVenue(reach=START + 4 * DAY)
    back_fill(live(store, venue))
    assert min(first for first, _ in venue.asked) == START + 4 * DAY


def test_a_back_fill_that_breaks_down_goes_on_where_it_was(store):
    venue = RecordedVenue(pieces=3)
    series = live(store, venue)
    with pytest.raises(SourceError, match="broke down"):
        back_fill(series)
    assert not series.health().is_whole
    venue.pieces = 10**9
    back_fill(series)
    np.testing.assert_array_equal(series.bars.time, BARS.time[288:1440])


def test_holes_that_the_venue_has_too_are_no_reason_to_ask_for_ever(store):
    venue = RecordedVenue(take(BARS, BARS.time % DAY != 0))
    series = live(store, venue)
    for _ in range(20):
        series.back_fill(NOW)
    assert not series.is_lacking(NOW)
    num_asked = len(venue.asked)
    series.back_fill(NOW)
    assert len(venue.asked) == num_asked


def test_a_damaged_day_is_told_as_long_as_it_lasts_and_costs_no_other_day(store):
    back_fill(live(store, RecordedVenue()))
    oldest = min((store.folder / "BTC" / "recorded" / "300s").glob("*.parquet"))
    oldest.write_bytes(b"nonsense")
    series = live(store, RecordedVenue(), days=6)
    series.refresh(NOW + 600)
    assert f"cannot read {oldest}" in series.health().problem
    assert series.health().num_unstored == 0
    assert len(series.bars) == 3 * 288 + 2  # the other days and what came since


def test_memory_does_not_grow_with_time(store):
    series = live(store, RecordedVenue(), days=0.5)
    for hour in range(48):
        series.refresh(NOW - 2 * DAY + hour * 3600)
    assert len(series.bars) < 1.2 * 144
    assert series.bars.observed[-1] > NOW - 2 * 3600


def test_troubles_of_several_kinds_are_told_together_and_end_one_by_one(store):
    series = live(store, RecordedVenue())
    series.note("newest", "the venue is down")
    series.note("store", "the disk is full")
    assert series.health().problem == "the venue is down; the disk is full"
    series.note("past", "the venue is down")
    assert series.health().problem == "the venue is down; the disk is full"
    series.note("newest", None)
    series.note("past", None)
    assert series.health().problem == "the disk is full"
    series.note("store", None)
    assert series.health().problem is None
