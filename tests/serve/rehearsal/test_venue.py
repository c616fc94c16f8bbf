"""The stand-in for the venues, asked by the product's own client."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from synthcity.durations import DAY
from synthcity.market.bars import Bars
from synthcity.market.columns import concatenate
from synthcity.market.simulated import SimulatedConfig
from synthcity.market.venues.http import Patience
from synthcity.market.venues.official import known_venues, official_source
from synthcity.serve.rehearsal.venue import StandIn, series, shown, venue
from synthcity.settings import Settings


def _config() -> SimulatedConfig:
    return SimulatedConfig(start=(datetime.now(UTC).date() - timedelta(days=6)).isoformat(), days=9)


@pytest.fixture(scope="module")
def stand_in() -> Iterator[StandIn]:
    with venue(_config()) as found:
        yield found


def _fetch(stand_in: StandIn, asset: str, start: int, end: int, ahead: float = 0.0) -> Bars:
    settings = Settings(venue_urls={one.name: stand_in.url for one in known_venues()})
    patience = Patience(attempts=1, pause_seconds=0.0)
    source = official_source(asset, settings, patience=patience, clock=lambda: time.time() + ahead)
    told: list[str] = []
    pages = list(source.fetch(asset, 60, start, end, told.append))
    assert told == []
    return concatenate(pages, 60)


@pytest.mark.parametrize("asset", ["BTC", "HYPE"])
def test_prices_of_the_past_come_page_by_page_as_the_market_made_them(stand_in: StandIn, asset: str):
    now = int(time.time()) // 60 * 60
    start = now - 2500 * 60
    bars = _fetch(stand_in, asset, start, now - 600)
    expected = series(_config(), asset, 60)
    at = np.searchsorted(expected.time, bars.time)
    assert (len(bars), int(bars.time[0])) == (2490, start)
    for name in ("time", "open", "high", "low", "close", "volume"):
        np.testing.assert_array_equal(getattr(bars, name), getattr(expected, name)[at])


def test_prices_go_on_in_time_and_the_future_is_there_once_the_clock_is_ahead(stand_in: StandIn):
    now = int(time.time()) // 60 * 60
    assert int(_fetch(stand_in, "ETH", now - 600, now + DAY).time[-1]) <= now
    stand_in.set_ahead(DAY)
    try:
        later = _fetch(stand_in, "ETH", now - 600, now + DAY, ahead=DAY)
    finally:
        stand_in.set_ahead(0)
    assert int(later.time[-1]) >= now + DAY - 120


def test_the_candle_that_runs_is_shown_as_it_stands():
    bars = series(_config(), "BTC", 60).slice(0, 3)
    now = int(bars.time[1]) + 30
    (_, first), (opens, running) = shown(bars, int(bars.time[0]), int(bars.time[2]), now)
    assert first["close"] == f"{bars.close[0]:.8f}"
    assert opens == bars.time[1]
    assert {running[name] for name in ("high", "low", "close")} == {running["open"]}
