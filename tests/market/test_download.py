from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from synthcity.errors import SourceError
from synthcity.market.bars import Bars
from synthcity.market.check import Tell
from synthcity.market.columns import take
from synthcity.market.download import download, missing_spans
from synthcity.market.store import Store
from tests.market.factories import START, assert_equal, make_bars

DAY = 86400
BARS = make_bars(6 * 288)


class RecordedVenue:
    """A venue in memory that hands out 100 bars at a time and may break down."""

    venue = "recorded"
    past_pause_seconds = 0.0

    def __init__(self, bars: Bars = BARS, *, reach: int = 0, pieces: int = 10**9) -> None:
        self.bars, self.reach, self.pieces = bars, reach, pieces
        self.asked: list[tuple[int, int]] = []

    def earliest(self, resolution: int) -> int:
        return self.reach

    def fetch(self, asset: str, resolution: int, start: int, end: int, tell: Tell) -> Iterator[Bars]:
        self.asked.append((start, end))
        first, last = np.searchsorted(self.bars.time, [start, end])
        for row in range(first, last, 100):
            if not self.pieces:
                raise SourceError("the venue broke down")
            self.pieces -= 1
            yield self.bars.slice(row, min(row + 100, last))


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path)


def run(store: Store, venue: RecordedVenue, first_day: int, last_day: int) -> int:
    seconds: list[int] = []
    span = START + first_day * DAY, START + last_day * DAY
    result = download(store, venue, "BTC", 300, *span, seconds.append)
    assert sum(seconds) == span[1] - span[0]
    assert min(seconds) >= 0
    return result.num_added


def test_everything_comes_and_comes_once(store):
    venue = RecordedVenue()
    assert run(store, venue, 0, 4) == 4 * 288
    assert run(store, venue, 0, 4) == 0
    assert venue.asked == [(START, START + 4 * DAY)]
    assert_equal(store.load("BTC", 300), BARS.slice(0, 4 * 288))


def test_it_goes_on_after_the_last_bar_and_fills_days_between(store):
    for first, last in ((1, 2), (3, 4)):
        store.append("BTC", "recorded", 300, BARS.slice(first * 288, last * 288 - 7))
    venue = RecordedVenue()
    run(store, venue, 0, 5)
    assert venue.asked == [
        (START, START + DAY),
        (START + 2 * DAY - 2100, START + 3 * DAY),
        (START + 4 * DAY - 2100, START + 5 * DAY),
    ]
    assert_equal(store.load("BTC", 300), BARS.slice(0, 5 * 288))


@pytest.mark.parametrize("pieces", [0, 1, 4, 7])
def test_breakdown_keeps_what_came(store, pieces):
    with pytest.raises(SourceError, match="broke down"):
        run(store, RecordedVenue(pieces=pieces), 0, 3)
    assert run(store, RecordedVenue(), 0, 3) == 3 * 288 - 100 * pieces
    assert_equal(store.load("BTC", 300), BARS.slice(0, 3 * 288))


def test_a_hole_inside_a_day_is_asked_for_again_and_stays_if_the_venue_has_none(store):
    row = np.arange(len(BARS))
    gappy = take(BARS, (row < 50) | (row >= 60))
    venue = RecordedVenue(gappy)
    run(store, venue, 0, 2)
    assert run(store, venue, 0, 2) == 0
    assert venue.asked[1:] == [(START + 50 * 300, START + 60 * 300)]
    assert_equal(store.load("BTC", 300), gappy.slice(0, 2 * 288 - 10))


def test_what_is_out_of_reach_is_reported(store):
    venue = RecordedVenue(reach=START + DAY + 600)
    result = download(store, venue, "BTC", 300, START, START + 2 * DAY)
    assert result.out_of_reach == (START, START + DAY + 600)
    assert result.num_added == 286
    assert venue.asked == [(START + DAY + 600, START + 2 * DAY)]
    assert download(store, venue, "BTC", 300, START, START + DAY).out_of_reach == (START, START + DAY)


def test_unaligned_bounds(store):
    assert missing_spans(store, "recorded", "BTC", 300, START + 1, START + 601) == [(START + 300, START + 900)]
    assert missing_spans(store, "recorded", "BTC", 300, START + 10, START + 10) == []
