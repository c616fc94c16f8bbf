"""Contract of every venue source, checked against the stand-in server."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import numpy as np
import pytest

from synthcity.errors import ConfigError, SourceError
from synthcity.market.columns import concatenate
from synthcity.market.sources.conformance import CHECKS, Span
from synthcity.market.venues import binance, hyperliquid
from synthcity.market.venues.candles import CandleSource
from synthcity.market.venues.http import Patience
from synthcity.market.venues.official import known_venues
from synthcity.settings import Settings
from tests.standins.prices import NOW, PriceServer, candles, price_server

QUICK = Patience(attempts=4, first_wait_seconds=0.01, timeout_seconds=10, pause_seconds=0)
VENUES = {"binance": (binance.VENUE, "BTC", "BTCUSDT"), "hyperliquid": (hyperliquid.VENUE, "XAU", "xyz:GOLD")}
END = NOW // 60 * 60 + 60  # includes the unfinished candle
DAY = 86400


@pytest.fixture(scope="module")
def running() -> Iterator[PriceServer]:
    with price_server() as server:
        yield server


@pytest.fixture
def server(running: PriceServer) -> PriceServer:
    running.faults()
    return running


@pytest.fixture(params=VENUES)
def venue(request: pytest.FixtureRequest) -> str:
    return request.param


def make(venue: str, url: str, patience: Patience = QUICK, now: int = NOW) -> CandleSource:
    settings = Settings(venue_urls=dict.fromkeys(VENUES, url))
    return CandleSource(VENUES[venue][0], settings, patience=patience, clock=lambda: now)


def fetch(venue: str, server: PriceServer, start: int, end: int, resolution: int = 60, **changes):
    told = changes.pop("told", [])
    source = make(venue, server.url, **changes)
    return concatenate(list(source.fetch(VENUES[venue][1], resolution, start, end, told.append)), resolution)


@pytest.mark.parametrize("check", CHECKS)
def test_every_venue_keeps_the_contract_of_sources(server, venue, check):
    span = Span(asset=VENUES[venue][1], resolution=60, start=END - 7200, end=END - 600)
    CHECKS[check](make(venue, server.url), span)


@pytest.mark.parametrize("resolution", [60, 300])
def test_all_finished_bars_come_in_order(server, venue, resolution):
    start = END // DAY * DAY - 2 * DAY
    bars = fetch(venue, server, start, END, resolution)
    np.testing.assert_array_equal(bars.time, np.arange(start, NOW // resolution * resolution, resolution))
    expected = candles(VENUES[venue][2], resolution, set())
    for column, key in (("open", "o"), ("high", "h"), ("low", "l"), ("close", "c"), ("volume", "v")):
        wanted = [expected[int(t)][key] for t in bars.time]
        np.testing.assert_allclose(getattr(bars, column), wanted, rtol=1e-12)


def test_range_is_half_open_and_unaligned_bounds_are_fine(server, venue):
    start = END - 3600
    assert fetch(venue, server, start, start + 120).time.tolist() == [start, start + 60]
    assert fetch(venue, server, start + 1, start + 121).time.tolist() == [start + 60, start + 120]
    assert len(fetch(venue, server, start, start)) == 0


def test_order_of_candles_does_not_matter(server, venue):
    server.faults(backwards=True)
    start = END - 3600
    assert fetch(venue, server, start, END).time.tolist() == list(range(start, END - 60, 60))


def test_unfinished_candle_is_dropped_until_it_has_settled(server, venue):
    last = NOW // 60 * 60
    assert fetch(venue, server, last - 60, END).time.tolist() == [last - 60]
    assert fetch(venue, server, last - 60, END, now=last + 61).time.tolist() == [last - 60]
    assert fetch(venue, server, last - 60, END, now=last + 65).time.tolist() == [last - 60, last]


def test_missing_minutes_stay_missing(server, venue):
    start = END - 3600
    server.faults(missing=[start + 60, start + 120])
    assert fetch(venue, server, start, start + 300).time.tolist() == [start, start + 180, start + 240]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_passing_trouble_is_waited_out(server, venue, status):
    server.faults(status=status, times=3)
    assert len(fetch(venue, server, END - 600, END - 60)) == 9
    assert len(server.requests()) == 4


def test_lasting_trouble_is_given_up(server, venue):
    server.faults(status=503, times=-1, body="maintenance")
    with pytest.raises(SourceError, match=rf"{venue} fails \(HTTP 503: maintenance\), 4 times in a row"):
        fetch(venue, server, END - 600, END)


@pytest.mark.parametrize(("status", "pause"), [(429, 10.0), (503, 0.0)])
def test_who_asks_too_often_is_told_to_pause(server, venue, status, pause):
    server.faults(status=status, times=-1)
    with pytest.raises(SourceError, match="4 times in a row") as caught:
        fetch(venue, server, END - 600, END)
    assert caught.value.pause_seconds == pause


def test_retry_after_is_obeyed(server, venue):
    server.faults(status=429, times=1, retry_after=1)
    begin = time.perf_counter()
    assert len(fetch(venue, server, END - 600, END - 60)) == 9
    assert time.perf_counter() - begin >= 1
    server.faults(status=429, times=1, retry_after=3600)
    with pytest.raises(SourceError, match="asks for a pause of 3600 seconds"):
        fetch(venue, server, END - 600, END)


@pytest.mark.parametrize(
    ("faults", "message"),
    [
        ({"status": 451}, "refuses this region .* set SYNTHCITY_{VENUE}_URL"),
        ({"status": 418, "retry_after": 77}, "banned this address for 77 seconds"),
        ({"status": 400, "body": '{"code":-1121,"msg":"Invalid symbol."}'}, r"HTTP 400: .*Invalid symbol\."),
        ({"status": 403, "body": "no"}, "refuses the request .*HTTP 403: no"),
    ],
)
def test_refusals_are_not_repeated_and_name_the_remedy(server, venue, faults, message):
    server.faults(**faults, times=-1)
    with pytest.raises(SourceError, match=message.replace("{VENUE}", venue.upper())) as caught:
        fetch(venue, server, END - 600, END)
    assert caught.value.pause_seconds == faults.get("retry_after", 0)
    assert len(server.requests()) == 1


@pytest.mark.parametrize("garbage", ["<html>", '{"msg": "hello"}', '[["x", 1, 2, 3, 4, 5]]', "[[1, 2]]", '[{"t": 1}]'])
def test_garbage_is_refused(server, venue, garbage):
    server.faults(garbage=garbage)
    with pytest.raises(SourceError, match=f"{venue}.* something else than"):
        fetch(venue, server, END - 600, END)


DEEP = "[" * 100_000 + "]" * 100_000


@pytest.mark.parametrize(
    ("faults", "message"),
    [
        ({"garbage": "no gzip", "encoding": "gzip"}, "answers with data that cannot be unpacked"),
        ({"garbage": DEEP}, "answers with something else than JSON"),
        ({"garbage": f"[[1e999{',1' * 5}]]"}, "something else than candles"),
        ({"garbage": "[[" + "9" * 5000 + "]]"}, "answers with something else than JSON"),
        ({"garbage": '[["' + "9" * 500 + '",1,1,1,1,1]]'}, "something else than candles"),
        ({"garbage": "[[12345678901234567890123,1,1,1,1,1]]"}, "sent a candle of the unix second 12345678901234567"),
        ({"garbage": "[[true,1,1,1,1,1]]"}, "something else than candles"),
        ({"unit": 1}, "sent a candle of 1970-01-21 .* its times must be milliseconds"),
        ({"unit": 1_000_000}, "sent a candle of .* its times must be milliseconds"),
    ],
)
def test_whatever_cannot_be_decoded_or_was_not_asked_for_is_a_source_error(server, venue, faults, message):
    garbage = faults.get("garbage", "")
    if venue == "hyperliquid" and garbage.startswith("[[") and "," in garbage:
        garbage = re.sub(r"\[\[([^,]*),.*", r'[{"t":\1,"o":1,"h":1,"l":1,"c":1,"v":1}]', garbage)
    server.faults(**faults | ({"garbage": garbage} if garbage else {}))
    with pytest.raises(SourceError, match=message):
        fetch(venue, server, END - 600, END)
    assert len(server.requests()) == 1


def test_an_answer_that_never_ends_holds_nobody_for_ever(server, venue):
    server.faults(garbage=" " * 400, drip=0.02)
    patience = Patience(attempts=1, timeout_seconds=0.1, pause_seconds=0)
    with pytest.raises(SourceError, match="sends its answer too slowly"):
        fetch(venue, server, END - 600, END, patience=patience)


@pytest.mark.parametrize("most", [999, 500, 70])
@pytest.mark.parametrize("newest", [False, True])
def test_shorter_pages_than_asked_for_lose_nothing(server, venue, most, newest):
    start = END - 1500 * 60
    server.faults(most=most, newest=newest)
    bars = fetch(venue, server, start, END)
    np.testing.assert_array_equal(bars.time, np.arange(start, NOW // 60 * 60, 60))


@pytest.mark.parametrize("fault", ["double", "contradict", "null", "zero", "off grid"])
def test_one_candle_that_cannot_be_costs_no_other(server, venue, fault):
    start, bad = END - 1500 * 60, END - 300 * 60
    server.faults(spoil={str(bad): fault})
    told: list[str] = []
    bars = fetch(venue, server, start, END, told=told)
    wanted = np.arange(start, NOW // 60 * 60, 60)
    np.testing.assert_array_equal(bars.time, wanted if fault == "double" else wanted[wanted != bad])
    assert bool(told) is (fault != "double")
    assert all("left out" in sentence for sentence in told)


def test_the_candle_that_runs_may_come_along_and_is_no_bar(server, venue):
    server.faults(running=True)
    assert fetch(venue, server, END - 600, END - 60).time.tolist() == list(range(END - 600, END - 60, 60))
    with pytest.raises(SourceError, match="sent a candle of"):  # once it has settled it is one that nobody asked for
        fetch(venue, server, END - 600, END - 60, now=END + 66)


def test_nothing_is_asked_of_the_future(server, venue):
    assert len(fetch(venue, server, END + 600, END + 1200)) == 0
    assert server.requests() == []
    fetch(venue, server, END - 600, END + 600)
    assert [int(asked["endTime"]) // 1000 for asked in server.requests()] == [END - 120]  # the last one that is over


def test_slow_server_times_out(server, venue):
    server.faults(delay=1.0)
    patience = Patience(attempts=2, first_wait_seconds=0.01, timeout_seconds=0.1, pause_seconds=0)
    with pytest.raises(SourceError, match=r"cannot be reached .*ReadTimeout.*2 times in a row"):
        fetch(venue, server, END - 600, END, patience=patience)


def test_nobody_listens_or_no_url(venue):
    asset = VENUES[venue][1]
    with pytest.raises(SourceError, match=rf"cannot be reached at http://127.0.0.1:9 .*SYNTHCITY_{venue.upper()}_URL"):
        list(make(venue, "http://127.0.0.1:9").fetch(asset, 60, END - 600, END, print))
    with pytest.raises(ConfigError, match=f"SYNTHCITY_{venue.upper()}_URL is no URL: 'nonsense'"):
        list(make(venue, "nonsense").fetch(asset, 60, END - 600, END, print))


def test_foreign_asset_and_resolution_are_refused(server, venue):
    source = make(venue, server.url)
    with pytest.raises(ConfigError, match=f"unknown asset 'DOGE'.*on {venue}"):
        list(source.fetch("DOGE", 60, END - 600, END, print))
    with pytest.raises(ConfigError, match="fetched at 1m or 5m, not at 1h"):
        list(source.fetch(VENUES[venue][1], 3600, END - 600, END, print))


def test_hyperliquid_range_that_is_gone_is_not_taken_for_never_traded(server):
    source = make("hyperliquid", server.url)
    reach = source.earliest(60)
    assert NOW - 5000 * 60 < reach < NOW - 4900 * 60
    bars = fetch("hyperliquid", server, reach, END)
    assert bars.time[0] == reach
    with pytest.raises(SourceError, match=r"keeps the last 5000 candles only: XAU 1m from .* is gone, ask from"):
        fetch("hyperliquid", server, reach - DAY, END)
    assert len(fetch("hyperliquid", server, reach - DAY, END, 300)) > 1000


def test_hyperliquid_unknown_coin(server):
    server.faults(garbage="null")
    with pytest.raises(SourceError, match="knows no coin 'xyz:GOLD'"):
        fetch("hyperliquid", server, END - 600, END)


def test_every_scored_asset_has_exactly_one_venue():
    assets = [asset for venue in known_venues() for asset in venue.symbols]
    assert len(assets) == len(set(assets)) == 13
