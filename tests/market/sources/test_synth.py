"""The network's own prices against a stand-in with faults, by way of a store."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import pytest

from synthcity.errors import ConfigError, SourceError
from synthcity.market.columns import closes_alone
from synthcity.market.download import download
from synthcity.market.simulated import SimulatedConfig, SimulatedMarket
from synthcity.market.sources.external import find_source
from synthcity.market.sources.synth import SynthSource
from synthcity.market.store import Store
from synthcity.market.venues.http import Patience
from synthcity.settings import Settings
from synthcity.sn50.competitions import get_competition
from synthcity.testing import check_source
from tests.standins.synthdata import SynthServer, synth_server

DAY, HOUR = 86400, 3600
MARKET = SimulatedMarket(SimulatedConfig(seed=3, start="2025-11-17", days=6))
START = MARKET.config.epoch + 2 * DAY
NOW = START + 3 * DAY + 7 * HOUR
DAILY, HOURLY = get_competition("crypto-24h"), get_competition("crypto-1h")
QUICK = Patience(attempts=3, first_wait_seconds=0.01, timeout_seconds=10, pause_seconds=0)
BARS = MARKET.bars("BTC", 60)


@pytest.fixture(scope="module")
def running() -> Iterator[SynthServer]:
    with synth_server() as server:
        grid = {"time_length": DAY, "time_increment": 300}
        starts = range(MARKET.config.epoch, NOW, 720)
        prompts = [{"asset": asset, "start_time": start, **grid} for start in starts for asset in ("BTC", "XAU")]
        closes = (int(BARS.time[0]), BARS.close.tolist())
        server.table(scores=[], prompts=prompts, closes={"BTC": closes, "XAU": closes})
        yield server


@pytest.fixture
def server(running: SynthServer) -> SynthServer:
    running.faults(requests_per_second=1000, now=NOW)
    return running


@pytest.fixture
def source(server: SynthServer) -> SynthSource:
    return SynthSource(Settings(synth_api_url=server.url), patience=QUICK, clock=lambda: float(NOW))


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path)


def truth(first: int, last: int) -> np.ndarray:
    return BARS.close[(BARS.time >= first) & (BARS.time < last)]


def fill(store: Store, source: SynthSource, end: int = START + DAY, resolution: int = 60, asset: str = "XAU"):
    told: list[str] = []
    return download(store, source, asset, resolution, START, end, tell=told.append), told


def test_a_day_of_minutes_comes_with_few_requests_and_is_that_of_the_venue(server, source, store):
    result, told = fill(store, source)
    assert (result.num_added, told) == (1440, [])
    bars = store.load("XAU", 60, "synth")
    np.testing.assert_array_equal(bars.close, truth(START, START + DAY))
    np.testing.assert_array_equal(bars.time, START + 60 * np.arange(1440))
    assert closes_alone(bars).all()
    asked = [one["path"].rpartition("/")[2] for one in server.requests()]
    assert asked.count("prompts") == 1
    assert asked.count("realized-path") == 10
    fill(store, source, START + 2 * DAY)
    server.requests()
    fill(Store(store.folder / "other"), source, START + 2 * DAY)
    assert len(server.requests()) == 1 + 10 + 6, "a day more brings its own five, and one to hold against them"


def test_five_minutes_are_closes_at_their_own_end_and_need_a_fifth_of_the_paths(server, source, store):
    result, _ = fill(store, source, resolution=300)
    assert result.num_added == 288
    expected = MARKET.bars("BTC", 300)
    inside = (expected.time >= START) & (expected.time < START + DAY)
    np.testing.assert_array_equal(store.load("XAU", 300).close, expected.close[inside])
    assert sum(one["path"].endswith("realized-path") for one in server.requests()) == 3


def test_what_is_stored_is_not_asked_for_again_and_a_broken_download_goes_on(server, source, store):
    server.faults(requests_per_second=1000, now=NOW)
    fill(store, source)
    server.requests()
    fill(store, source)
    assert server.requests() == []
    ask, fails_from = source.fetch, START + 2 * DAY

    def breaking(asset, resolution, start, end, tell):
        for bars in ask(asset, resolution, start, end, tell):
            if bars.time[0] >= fails_from:
                raise SourceError("cut off")
            yield bars

    source.fetch = breaking
    with pytest.raises(SourceError, match="cut off"):
        fill(store, source, START + 3 * DAY)
    assert len(store.load("XAU", 60)) == 2880, "a day that came stays"
    source.fetch = ask
    assert fill(store, source, START + 3 * DAY)[0].num_added == 1440
    np.testing.assert_array_equal(store.load("XAU", 60).close, truth(START, START + 3 * DAY))


def test_the_last_day_reaches_as_far_as_prompts_that_are_over(source, store):
    fill(store, source, NOW)
    last = int(store.load("XAU", 60).time[-1])
    assert NOW - 1800 < last <= NOW - 90, "a path ends 90 s before it is there at the latest"
    np.testing.assert_array_equal(store.load("XAU", 60).close[:1000], truth(START, START + 60_000))


def test_nulls_stay_gaps_and_are_asked_of_two_paths_at_most(server, source, store):
    missing = [START + 600, START + 660, START + 13 * HOUR]
    server.faults(requests_per_second=1000, now=NOW, missing=missing)
    result, told = fill(store, source)
    assert (result.num_added, told) == (1437, [])
    assert not np.isin(missing, store.load("XAU", 60).time).any()
    assert sum(one["path"].endswith("realized-path") for one in server.requests()) <= 13


def test_contradictions_are_counted_shown_and_settled(server, source, store):
    early = {str(start): 1.01 for start in range(START - DAY, START - DAY // 2, 720)}
    server.faults(requests_per_second=1000, now=NOW, wrong=early)
    result, told = fill(store, source)
    assert result.num_added == 1440
    assert told == [
        "synth: 4 of 280 prices of XAU that two paths tell differ, the first at 2025-11-19 00:12 "
        "(94303.4 and 93369.7); the path that ended later counts"
    ]
    wrong = store.load("XAU", 60).close != truth(START, START + DAY)
    assert not wrong[12], "two paths tell it"
    assert 0 < wrong.sum() < 30, "where no later path tells"


def test_paths_that_contradict_each_other_mostly_are_refused(server, source, store):
    prompts = range(MARKET.config.epoch, NOW, 720)
    server.faults(requests_per_second=1000, now=NOW, wrong={str(start): 1 + start % 7919 * 1e-5 for start in prompts})
    with pytest.raises(SourceError, match=r"paths of XAU contradict each other in [\d,]+ of [\d,]+ minutes, the first"):
        fill(store, source)


def test_prices_that_cannot_be_are_left_out_and_told(server, source, store):
    server.faults(requests_per_second=1000, now=NOW, wrong={str(start): 0.0 for start in range(START, NOW, 720)})
    result, told = fill(store, source)
    assert 0 < result.num_added < 1440
    assert len(told) == 1
    assert "prices of XAU left out, which are not above zero" in told[0]
    server.faults(requests_per_second=1000, now=NOW, wrong={str(s): "dear" for s in range(START - DAY, NOW, 720)})
    with pytest.raises(SourceError, match="something else than expected"):
        fill(Store(store.folder / "other"), source)


@pytest.mark.parametrize("faults", [{"status": 429, "times": 2}, {"status": 503, "times": 2}, {"cut": 2}])
def test_passing_trouble_is_waited_out(server, source, store, faults):
    server.faults(requests_per_second=1000, now=NOW, **faults)
    assert fill(store, source)[0].num_added == 1440


def test_a_pause_that_is_asked_for_is_kept(server, source, store):
    server.faults(requests_per_second=1000, now=NOW, status=429, times=1, retry_after="1")
    begin = time.monotonic()
    assert fill(store, source)[0].num_added == 1440
    assert time.monotonic() - begin >= 1


def test_it_stays_below_two_requests_a_second(server):
    assert SynthSource(Settings(synth_api_url=server.url)).past_pause_seconds > 0.5


def test_lasting_trouble_is_one_sentence_and_costs_nothing_that_came(server, source, store):
    fill(store, source)
    for faults in ({"status": 500, "times": -1}, {"status": 400, "times": -1}, {"garbage": "{}"}, {"cut": 1000}):
        server.faults(requests_per_second=1000, now=NOW, **faults)
        with pytest.raises(SourceError, match="the Synth API"):
            fill(store, source, START + 2 * DAY)
    assert len(store.load("XAU", 60)) == 1440


def test_one_that_is_too_slow_is_given_up_in_a_sentence(server, store):
    hasty = Patience(attempts=2, first_wait_seconds=0.01, timeout_seconds=0.2, pause_seconds=0)
    source = SynthSource(Settings(synth_api_url=server.url), patience=hasty, clock=lambda: float(NOW))
    server.faults(requests_per_second=1000, now=NOW, delay=0.4)
    with pytest.raises(SourceError, match=r"the Synth API cannot be reached at .* \(ReadTimeout: .*2 times in a row"):
        fill(store, source)


def test_many_days_are_asked_for_in_spans_that_it_takes(server, source, store):
    """It refuses more than 60 days of prompts at a time."""
    told: list[str] = []
    download(store, source, "XAU", 300, START - 100 * DAY, START + DAY, tell=told.append)
    assert told == []
    statuses = {one["status"] for one in server.requests() if one["path"].endswith("prompts")}
    assert statuses == {200, 404}, "404 means that there was nothing"
    np.testing.assert_array_equal(store.load("XAU", 300, start=START).time, START + 300 * np.arange(288))


def test_it_keeps_the_contract_of_a_source(source):
    check_source(source, asset="BTC", resolution=60, start=START + HOUR, end=START + 30 * HOUR)


def test_the_asset_and_the_resolution_must_be_the_networks(source, store, server):
    with pytest.raises(ConfigError, match="unknown asset 'GOLD'"):
        fill(store, source, asset="GOLD")
    with pytest.raises(ConfigError, match="synth bars are made at 1m or 5m, not at 1h"):
        fill(store, source, resolution=3600)
    assert find_source("synth", Settings()).venue == "synth"
