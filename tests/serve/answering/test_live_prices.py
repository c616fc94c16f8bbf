"""The feed against stand-in venues in processes of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from synthcity.errors import ConfigError
from synthcity.market.live import LiveSeries, SeriesHealth
from synthcity.market.store import Store
from synthcity.market.venues.candles import CandleSource
from synthcity.market.venues.http import Patience
from synthcity.serve.answering.live_prices import LivePrices, LivePricesConfig
from synthcity.serve.operations.recording import recorded
from synthcity.settings import Settings
from tests.standins.prices import NOW, PriceServer, candles, price_server
from tests.waiting import until

QUICK = Patience(attempts=1, first_wait_seconds=0.01, timeout_seconds=10, pause_seconds=0)
QUICKLY = {"history_days": {60: 1.0, 300: 2.0}, "past_pause_seconds": 0.0, "patience": QUICK}
MINUTE_OF_NOW = NOW // 60 * 60  # the last candle that is finished opens a minute earlier
SYMBOLS = {"BTC": "BTCUSDT", "HYPE": "@107"}


class Clock:
    """A clock that stands until it is moved, the servers' with it."""

    def __init__(self, *servers: PriceServer) -> None:
        self.now, self.servers, self.faulty = float(NOW), servers, dict[str, object]()

    def __call__(self) -> float:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += seconds
        self.faults(**self.faulty)

    def faults(self, **faults: object) -> None:
        self.faulty = faults
        for server in self.servers:
            server.faults(**faults, now=self.now)


@pytest.fixture(scope="module")
def binance() -> Iterator[PriceServer]:
    with price_server() as server:
        yield server


@pytest.fixture(scope="module")
def hyperliquid() -> Iterator[PriceServer]:
    with price_server() as server:
        yield server


@pytest.fixture
def clock(binance: PriceServer, hyperliquid: PriceServer) -> Clock:
    binance.faults()
    hyperliquid.faults()
    return Clock(binance, hyperliquid)


@pytest.fixture
def make(tmp_path: Path, binance: PriceServer, hyperliquid: PriceServer, clock: Clock) -> Callable[..., LivePrices]:
    def build(assets: tuple[str, ...] = ("BTC", "HYPE"), store: Path | None = None, **changes: object) -> LivePrices:
        settings = Settings(venue_urls={"binance": binance.url, "hyperliquid": hyperliquid.url})
        config = LivePricesConfig(assets=assets, **QUICKLY | changes)
        return LivePrices(Store(tmp_path / "store" if store is None else store), config, settings, clock=clock)

    return build


def fill(feed: LivePrices) -> None:
    rounds = 0
    while feed.poll():
        rounds += 1
        assert rounds < 100, "the feed asks without end"


def health_of(feed: LivePrices, asset: str, resolution: int = 60) -> SeriesHealth:
    return next(h for h in feed.health() if (h.series.asset, h.series.resolution) == (asset, resolution))


def last_close(feed: LivePrices, asset: str, now: float) -> tuple[int, float]:
    bars = feed.history(asset, now).bars(asset, 60)
    return int(bars.observed[-1]), float(bars.close[-1])


def test_a_first_round_brings_the_newest_and_the_next_ones_the_past(make, clock):
    feed = make()
    assert feed.age("BTC", NOW) == float("inf")
    feed.poll()
    assert feed.age("BTC", NOW) == feed.age("HYPE", NOW) == NOW % 60
    assert not health_of(feed, "BTC").is_whole
    fill(feed)
    assert all(health.is_whole and health.problem is None for health in feed.health())
    for asset, symbol in SYMBOLS.items():
        for resolution, days in ((60, 1), (300, 2)):
            bars, expected = feed.history(asset, NOW).bars(asset, resolution), candles(symbol, resolution, set())
            end = (NOW - 5) // resolution * resolution
            first = (NOW - days * 86400) // resolution * resolution
            np.testing.assert_array_equal(bars.time, np.arange(first, end, resolution))
            np.testing.assert_allclose(bars.close, [expected[int(t)]["c"] for t in bars.time], rtol=1e-12)


def test_history_shows_what_was_known_then(make, clock):
    feed = make()
    fill(feed)
    earlier = feed.history("BTC", NOW - 3600.5)
    assert earlier.now == NOW - 3601
    assert earlier.bars("BTC", 60).observed[-1] <= NOW - 3601
    assert earlier.has("HYPE", 60)
    assert feed.age("BTC", NOW - 3600) == NOW % 60


def test_the_past_is_asked_for_in_turns_and_at_leisure(make, hyperliquid, clock):
    feed = make(("HYPE", "XAU"), past_pause_seconds=None, history_days={60: 3.0, 300: 6.0})
    feed.poll()
    hyperliquid.requests()
    asked = []
    for _ in range(12):
        clock.now += 1
        feed.poll()
        asked.append([(request["coin"], request["interval"]) for request in hyperliquid.requests()])
    turns = [one for several in asked for one in several]
    assert [len(several) for several in asked] == [0, 0, 1] * 4
    assert len(set(turns)) == 4


@pytest.mark.parametrize("retry_after", [None, 8])
def test_an_address_that_asked_too_often_asks_nothing_for_a_while(make, binance, clock, retry_after):
    feed = make(("BTC", "ETH"))
    fill(feed)
    binance.faults(status=429, times=1, retry_after=retry_after, now=clock.now + 60)
    clock.now += 60
    feed.poll()
    clock.now += 7
    assert not feed.poll()
    assert len(binance.requests()) == 1
    clock.now += 15
    fill(feed)
    assert feed.age("BTC", clock.now) < 90


def test_each_minute_costs_one_question_a_series(make, binance, clock):
    feed = make(("BTC",))
    fill(feed)
    asked = []
    for _ in range(6):
        clock.move(10)
        feed.poll()
        asked += [request["interval"] for request in binance.requests()]
    assert asked == ["1m"]
    assert feed.age("BTC", clock.now) == clock.now % 60


def test_the_unfinished_candle_is_never_a_price(make, clock):
    feed, final = make(("BTC",)), candles("BTCUSDT", 60, set())
    for _ in range(15):
        clock.move(7)
        feed.poll()
        observed, close = last_close(feed, "BTC", clock.now)
        assert close == pytest.approx(final[observed - 60]["c"])
        assert clock.now - 65 - 7 < observed <= clock.now - 5


def test_a_late_candle_is_asked_for_again_after_a_pause(make, binance, clock):
    feed = make(("BTC",), poll_seconds=20.0)
    fill(feed)
    clock.faults(late=40)
    clock.move(60)  # half a minute after the end of a candle that is shown ten seconds later
    assert feed.poll()
    assert feed.age("BTC", clock.now) == 90
    assert not feed.poll()
    clock.move(19)
    assert not feed.poll()
    clock.move(1)
    feed.poll()
    assert feed.age("BTC", clock.now) == 50


def test_a_candle_that_came_holds_up_no_other(make, clock):
    feed = make(("BTC",), poll_seconds=20.0)
    clock.move(30 + 2)  # two seconds into a minute, the candle before is not final yet
    fill(feed)
    assert feed.age("BTC", clock.now) == 62
    clock.move(4)
    fill(feed)
    assert feed.age("BTC", clock.now) == 6


def test_missing_minutes_stay_missing_until_the_venue_has_them(make, clock):
    hole = [MINUTE_OF_NOW - 600, MINUTE_OF_NOW - 540]
    clock.faults(missing=[*hole, MINUTE_OF_NOW - 60])
    feed = make()
    fill(feed)
    assert feed.age("BTC", NOW) == 90
    bars = feed.history("BTC", NOW).bars("BTC", 60)
    assert not set(hole) & set(bars.time.tolist())
    assert health_of(feed, "BTC").problem is None
    clock.faults()
    clock.move(60)
    feed.poll()
    bars = feed.history("BTC", clock.now).bars("BTC", 60)
    assert (np.diff(bars.time) == 60).all()


@pytest.mark.parametrize("status", [429, 451, 500])
def test_trouble_at_one_venue_ages_its_prices_and_no_others(make, binance, clock, status):
    feed = make()
    fill(feed)
    binance.faults(status=status, times=-1, now=clock.now)
    for _ in range(10):
        clock.now += 30
        for server in clock.servers[1:]:
            server.faults(now=clock.now)
        feed.poll()
    assert feed.age("BTC", clock.now) == NOW % 60 + 300
    assert feed.age("HYPE", clock.now) < 66
    assert str(status) in health_of(feed, "BTC").problem
    assert health_of(feed, "HYPE").problem is None
    clock.move(60)
    fill(feed)
    assert feed.age("BTC", clock.now) < 66
    assert health_of(feed, "BTC").problem is None
    assert (np.diff(feed.history("BTC", clock.now).bars("BTC", 60).time) == 60).all()


def test_a_pause_that_the_venue_asks_for_is_kept_by_all_its_series(make, binance, clock):
    feed = make(("BTC", "ETH"))
    fill(feed)
    binance.faults(status=429, times=-1, retry_after=500, now=clock.now)
    clock.now += 60
    feed.poll()
    assert len(binance.requests()) == 1
    binance.faults(now=clock.now)
    clock.now += 499
    assert not feed.poll()
    clock.move(2)
    fill(feed)
    assert feed.age("ETH", clock.now) < 66


def test_repeated_failures_are_asked_ever_more_seldom(make, binance, clock):
    feed = make(("BTC",), history_days={60: 0.5}, poll_seconds=10.0, longest_pause_seconds=60.0)
    fill(feed)
    binance.faults(status=503, times=-1, now=clock.now)
    asked = []
    for second in range(300):
        clock.now += 1
        if feed.poll():
            asked.append(second)
    assert np.diff(asked).tolist() == [10, 20, 40, 60, 60, 60]


def test_a_long_outage_is_filled_when_the_venue_is_back(tmp_path):
    with price_server() as server:
        clock, port = Clock(server), server.port
        settings = Settings(venue_urls={"binance": server.url})
        config = LivePricesConfig(assets=("BTC",), **QUICKLY)
        feed = LivePrices(Store(tmp_path), config, settings, clock=clock)
        fill(feed)
    clock.now += 5 * 3600
    fill(feed)
    assert "cannot be reached" in health_of(feed, "BTC").problem
    assert feed.age("BTC", clock.now) == 5 * 3600 + NOW % 60
    with price_server(port) as server:
        clock.servers = (server,)
        clock.move(61)
        fill(feed)
        assert feed.age("BTC", clock.now) < 66
        assert health_of(feed, "BTC").problem is None
    bars = feed.history("BTC", clock.now).bars("BTC", 60)
    assert (np.diff(bars.time) == 60).all()
    assert bars.time[0] <= clock.now - 86400


def test_order_of_candles_does_not_matter(make, clock):
    clock.faults(backwards=True)
    feed = make()
    fill(feed)
    bars = feed.history("BTC", NOW).bars("BTC", 60)
    assert len(bars) == 1440
    assert (np.diff(bars.time) == 60).all()


def test_a_bar_that_comes_again_changed_keeps_its_first_price_and_is_told(make, clock, caplog):
    hole, final = MINUTE_OF_NOW - 600, candles("BTCUSDT", 60, set())
    amended = next(t for t in range(MINUTE_OF_NOW - 540, NOW, 60) if final[t]["h"] > final[t]["c"])
    clock.faults(missing=[hole])
    feed = make(("BTC",))
    fill(feed)
    clock.faults(missing=[hole], amended=[amended])
    for _ in range(3):
        clock.move(60)
        feed.poll()
    assert (health_of(feed, "BTC").num_amended, health_of(feed, "BTC").problem) == (1, None)
    assert sum("changed the bar of" in record.message for record in caplog.records) == 1
    assert feed.age("BTC", clock.now) == clock.now % 60
    bars = feed.history("BTC", clock.now).bars("BTC", 60)
    assert bars.grid_price(np.array([amended + 60]))[0] == pytest.approx(final[amended]["c"])


def test_a_restart_goes_on_from_the_store_and_asks_for_what_it_missed(make, binance, clock):
    fill(make(("BTC",)))
    clock.move(7200)
    feed = make(("BTC",))
    assert feed.age("BTC", clock.now) == 7200 + NOW % 60
    fill(feed)
    assert feed.age("BTC", clock.now) < 66
    spans = [int(r["endTime"]) - int(r["startTime"]) for r in binance.requests() if r["interval"] == "1m"]
    assert sum(spans) < 7200_000


def test_what_a_venue_forgets_is_recorded_from_the_first_day_on_and_through_restarts(make, hyperliquid, clock):
    """Hyperliquid keeps 5,000 minutes: a recorder that is killed and started again holds more without a hole."""
    everything = {"history_days": {60: 35.0}}
    fill(make(("HYPE", "XAU"), **everything))  # never stopped, as if killed
    clock.move(2 * 86400)
    feed = make(("HYPE", "XAU"), **everything)
    fill(feed)
    found = recorded(feed.health())
    assert [one.asset for one in found] == ["HYPE", "XAU"]
    for one in found:
        assert one.is_whole
        assert (one.num_missing, one.share) == (0, 1.0)
        assert one.until - one.since > (5000 - 20 + 2880) * 60
    clock.faults(missing=list(range(MINUTE_OF_NOW - 6000, MINUTE_OF_NOW, 60)))
    feed = make(("BTC",), history_days={60: 4.0})
    fill(feed)
    assert recorded(feed.health())[0].num_missing == 100


def test_a_disk_that_refuses_costs_no_price(make, clock, tmp_path):
    (tmp_path / "file").write_text("in the way")
    feed = make(("BTC",), store=tmp_path / "file")
    fill(feed)
    clock.move(60)
    feed.poll()
    health = health_of(feed, "BTC")
    assert feed.age("BTC", clock.now) < 66
    assert "cannot write" in health.problem
    assert health.num_unstored == health.num_bars > 1440
    (tmp_path / "file").unlink()
    clock.move(60)
    feed.poll()
    health = health_of(feed, "BTC")
    assert (health.num_unstored, health.problem) == (0, None)
    assert len(Store(tmp_path / "file").load("BTC", 60)) == health.num_bars


def test_a_damaged_file_is_told_and_the_venue_asked(make, clock, tmp_path):
    fill(make(("BTC",)))
    clock.move(60)
    newest = max((tmp_path / "store" / "BTC" / "binance" / "60s").glob("*.parquet"))
    newest.write_bytes(b"nonsense")
    feed = make(("BTC",))
    assert f"cannot read {newest}" in health_of(feed, "BTC").problem
    fill(feed)
    bars = feed.history("BTC", clock.now).bars("BTC", 60)
    assert len(bars) >= 1440
    assert (np.diff(bars.time) == 60).all()
    assert str(newest) in health_of(feed, "BTC").problem


def test_threads_follow_the_venues_and_end(make, clock):
    feed = make()
    with feed:
        assert feed.is_alive
        until(lambda: all(health.is_whole for health in feed.health()))
        clock.move(60)
        until(lambda: feed.age("HYPE", clock.now) <= 66)
    assert not feed.is_alive


@pytest.mark.parametrize(
    "faults",
    [
        {"garbage": "no gzip", "encoding": "gzip"},
        {"garbage": "[" * 100_000},
        {"garbage": "[[1e999,1,1,1,1,1]]"},
        {"unit": 1_000_000},
        {"unit": 1},
    ],
)
def test_an_answer_that_cannot_be_decoded_costs_fresh_prices_and_no_more(make, binance, clock, faults):
    feed = make(("BTC",))
    binance.faults(**faults)
    fill(feed)
    assert not health_of(feed, "BTC").is_whole
    assert "binance" in health_of(feed, "BTC").problem
    clock.move(60)
    fill(feed)
    assert feed.age("BTC", clock.now) < 66
    assert health_of(feed, "BTC").problem is None
    assert (np.diff(feed.history("BTC", clock.now).bars("BTC", 60).time) == 60).all()


def test_short_pages_leave_no_hole_in_what_is_called_whole(make, binance, clock):
    binance.faults(most=500)
    feed = make(("BTC",), history_days={60: 2.0})
    fill(feed)
    assert health_of(feed, "BTC").is_whole
    assert len(feed.history("BTC", NOW).bars("BTC", 60)) == 2880


@pytest.mark.parametrize("fault", ["double", "contradict", "null", "zero"])
def test_one_candle_that_cannot_be_is_a_gap_and_told(make, binance, clock, fault):
    bad = MINUTE_OF_NOW - 120
    binance.faults(spoil={str(bad): fault})
    feed = make(("BTC",))
    fill(feed)
    assert feed.age("BTC", NOW) == NOW % 60
    health = health_of(feed, "BTC")
    assert (health.is_whole, health.problem) == (True, None)
    assert (health.num_left_out > 0) is (fault != "double")
    assert (bad in feed.history("BTC", NOW).bars("BTC", 60).time) is (fault == "double")


def test_the_candle_that_runs_is_never_shown(make, binance, clock):
    binance.faults(running=True)
    feed = make(("BTC",))
    fill(feed)
    assert last_close(feed, "BTC", NOW)[0] == NOW // 60 * 60
    assert health_of(feed, "BTC").problem is None


def test_a_thread_survives_faults_of_this_program_and_they_are_told(make, clock, monkeypatch):
    def fail(*_: object) -> None:
        raise KeyError("surprise")

    feed = make(("BTC",), poll_seconds=0.01)
    with monkeypatch.context() as patch:
        patch.setattr(CandleSource, "fetch", fail)
        fill(feed)
        assert "a fault of this program (KeyError: 'surprise')" in health_of(feed, "BTC").problem
    clock.move(1)
    fill(feed)
    assert health_of(feed, "BTC").problem is None


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # it is meant to end so
def test_a_thread_that_ended_is_a_problem_of_its_series(make, clock, monkeypatch):
    def leave(*_: object) -> None:
        raise SystemExit

    monkeypatch.setattr(LiveSeries, "refresh", leave)
    feed = make()
    assert feed.problem is None
    with feed:
        until(lambda: all(name in (feed.problem or "") for name in ("binance", "hyperliquid")))
        assert "the thread that follows binance has ended" in health_of(feed, "BTC").problem
        assert not feed.is_alive
    assert feed.problem is None


def test_nonsense_is_refused(make):
    with pytest.raises(ConfigError, match="unknown asset 'DOGE'"):
        make(("DOGE",))
    with pytest.raises(ConfigError, match="does not follow 'ETH'; it follows BTC, HYPE"):
        make().history("ETH", NOW)
    with pytest.raises(ConfigError, match="each asset once"):
        LivePricesConfig(assets=("BTC", "BTC"))
    with pytest.raises(ConfigError, match=r"needs 60-second bars, got \[300\]"):
        LivePricesConfig(assets=("BTC",), history_days={300: 1.0})
