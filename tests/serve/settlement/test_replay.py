"""Past prompts answered again, against a stand-in of the network's API and a market that is known to the minute."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from synthcity.errors import ConfigError, DataError
from synthcity.forecast.baselines import baseline
from synthcity.forecast.bundles.facts import PERIODS, Facts
from synthcity.forecast.evaluation.backtest import prompt_seed
from synthcity.forecast.forecaster import Paths
from synthcity.market.bars import History
from synthcity.market.periods import Period
from synthcity.market.simulated import SimulatedConfig, SimulatedMarket
from synthcity.market.sources.synth import SynthSource
from synthcity.market.sources.synthapi import SynthApi
from synthcity.market.store import Store
from synthcity.market.venues.http import Patience
from synthcity.serve.answering import clock
from synthcity.serve.settlement.replay import Past, chosen_competitions, refuse_known_days, replay
from synthcity.settings import Settings
from synthcity.sn50.competitions import get_competition, get_rules
from synthcity.sn50.leaderboard import payout, rolling_average
from synthcity.sn50.prompt import Prompt
from synthcity.sn50.scoring import network_score
from tests.market.sources.test_synthapi import prompt as prompt_row
from tests.market.sources.test_synthapi import row
from tests.standins.synthdata import SynthServer, synth_server

DAY, HOUR = 86400, 3600
MARKET = SimulatedMarket(SimulatedConfig(seed=5, start="2025-11-10", days=12))
END = MARKET.config.epoch + 11 * DAY
BARS = MARKET.bars("BTC", 60)
RULES = get_rules()
HOURLY = replace(get_competition("crypto-1h"), assets=("BTC",))
DAILY = get_competition("crypto-24h")
STARTS = [END - 4 * HOUR - 600 * k - 60 * (k % 7) for k in range(30)]
QUICK = Patience(attempts=3, first_wait_seconds=0.01, timeout_seconds=10, pause_seconds=0)
TRAILING = baseline("trailing")


def totals() -> list[float]:
    """What the baseline scores, from the market itself instead of the network's paths."""
    market = MARKET.market(["BTC"], resolution=60)
    found = []
    for start in STARTS:
        asked = Prompt(asset="BTC", start_time=start, time_length=HOUR, time_increment=60)
        history = market.as_of(start - 60)  # by the rules of 2026-09 it asks within the minute before
        paths = clock.simulate(TRAILING, history, asked, seed=prompt_seed(0, asked)).paths
        truth = BARS.close[np.searchsorted(BARS.time, asked.grid)]
        found.append(float(network_score(paths, truth, HOURLY, RULES).total))
    return found


OURS = totals()
OFFSETS = {1: -3.0, 2: 0.0, 3: 5.0, 4: -1.0}


@pytest.fixture(scope="module")
def running() -> Iterator[SynthServer]:
    with synth_server() as server:
        yield server


@pytest.fixture
def server(running: SynthServer) -> SynthServer:
    running.faults(requests_per_second=1000)
    running.table(
        scores=[
            row(start + HOUR + 200, miner, total + offset)
            for start, total in zip(STARTS, OURS, strict=True)
            for miner, offset in OFFSETS.items()
        ],
        prompts=[prompt_row(start) for start in STARTS]
        + [prompt_row(start, competition=DAILY) for start in range(MARKET.config.epoch + 8 * DAY, END, 720)],
        closes={"BTC": (int(BARS.time[0]), BARS.close.tolist())},
    )
    return running


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "store")
    store.append("BTC", "binance", 60, BARS)
    return store


@pytest.fixture
def past(server: SynthServer, store: Store) -> Iterator[Past]:
    settings = Settings(synth_api_url=server.url)
    source = SynthSource(settings, patience=QUICK, clock=lambda: float(END))
    with SynthApi(settings, patience=QUICK) as api:
        yield Past(store=store, api=api, source=source, rules=RULES, end=END, days=1)


def test_the_place_is_that_of_the_networks_rules_and_prices(past):
    found = replay(TRAILING, HOURLY, past)
    rank = found.estimate.rank
    raw = np.array([[total + offset for offset in (*OFFSETS.values(), 0.0)] for total in OURS])
    averages = rolling_average(raw, ["BTC"] * len(raw), RULES)
    assert (rank.rank, rank.num_miners, rank.num_prompts, rank.num_unmatched) == (3, 5, 30, 0)
    assert rank.average == pytest.approx(averages[-1]) == pytest.approx(3.0)
    assert rank.share == pytest.approx(payout({"crypto-1h": averages}, RULES)[-1])
    assert (found.num_lost, found.why_lost, found.window_days) == (0, "", 1)
    assert found.estimate.share is None, "a day is too short for an interval"


def test_our_own_miner_is_no_other(past):
    assert replay(TRAILING, HOURLY, replace(past, own_miner=1)).estimate.rank.rank == 2


class Watching:
    """Answers as the baseline, and remembers what it was shown."""

    name = "watching"

    def __init__(self) -> None:
        self.known: list[tuple[int, int]] = []
        self.first: list[int] = []

    def simulate(self, history: History, prompt: Prompt, *, seed: int | None = None) -> Paths:
        bars = history.bars("BTC", 60)
        assert history.effect("BTC") is not None, "a miner knows what is to come"
        self.first.append(int(bars.observed[0]))
        self.known.append((int(bars.observed[-1]), prompt.start_time))
        return TRAILING.simulate(history, prompt, seed=seed)

    def simulate_many(self, history, prompts, *, seed=None):
        raise NotImplementedError


def test_nothing_later_than_the_asking_is_shown(past):
    watching = Watching()
    replay(watching, HOURLY, past)
    assert sorted(watching.known) == sorted((start - 60, start - 60) for start in STARTS)


def test_no_more_of_the_past_is_shown_than_a_miner_keeps(past, monkeypatch):
    monkeypatch.setattr("synthcity.serve.settlement.replay.HISTORY_DAYS", {60: 3.0})
    watching = Watching()
    replay(watching, HOURLY, past)
    assert {now - first for first, (now, _) in zip(watching.first, watching.known, strict=True)} == {3 * DAY - 60}


def test_prompts_without_a_price_of_then_are_left_out_for_everybody_and_told(past, store, tmp_path):
    hole = (BARS.time >= STARTS[20]) & (BARS.time < STARTS[12])
    patchy = Store(tmp_path / "patchy")
    patchy.append("BTC", "binance", 60, BARS.slice(0, int(hole.argmax())))
    patchy.append("BTC", "binance", 60, BARS.slice(int(len(BARS) - hole[::-1].argmax()), len(BARS)))
    found = replay(TRAILING, HOURLY, replace(past, store=patchy))
    assert 0 < found.num_lost < 10
    assert found.estimate.rank.num_unmatched == found.num_lost
    assert "at most 1800 s are bridged" in found.why_lost


@pytest.mark.parametrize("venue", [None, "synth"])
def test_a_store_without_prices_of_then_is_one_sentence_that_says_how_to_fill_it(past, tmp_path, venue):
    empty = Store(tmp_path / "empty")
    with pytest.raises(DataError, match="holds none, or has too many gaps: fill it by `synthcity data download --comp"):
        replay(TRAILING, HOURLY, replace(past, store=empty, venue=venue))
    empty.append("BTC", venue or "binance", 60, BARS.slice(0, 5000))
    with pytest.raises(DataError, match=r"replay needs 1m bars of BTC .* ends on 2025-11-13"):
        replay(TRAILING, HOURLY, replace(past, store=empty, venue=venue))


def test_days_without_prompts_are_said(past, server):
    server.table(scores=[], prompts=[], closes={})
    with pytest.raises(DataError, match="the network tells of no scored prompt of crypto-1h between 2025-11-19 23:00"):
        replay(TRAILING, HOURLY, past)


@pytest.mark.parametrize(("period", "did"), [("train", "trained"), ("validation", "chosen"), ("test", "tested")])
def test_a_bundle_that_knows_the_days_is_refused(tmp_path, period, did):
    edges = [END - days * DAY for days in (40, 30, 20, 10)]
    spans = {
        name: Period(start=start, end=end) for name, start, end in zip(PERIODS, edges[:-1], edges[1:], strict=True)
    }
    facts = Facts(venues=("binance",), competition="crypto-24h", rules="2026-09", assets=("BTC",), periods=spans)
    baseline("fhs").save(tmp_path / "bundle", manifest=facts.to_manifest())
    assert refuse_known_days(str(tmp_path / "bundle"), END - 10 * DAY, END) == []
    span = spans[period]
    with pytest.raises(ConfigError, match=f"was {did} on .* replay days from 2025-11-11 00:00 on"):
        refuse_known_days(str(tmp_path / "bundle"), span.end - DAY, span.end)


def test_a_bundle_that_does_not_tell_its_days_is_doubted_and_a_baseline_is_not(tmp_path):
    facts = Facts(venues=("binance",), competition="crypto-24h")
    baseline("fhs").save(tmp_path / "bundle", manifest=facts.to_manifest())
    (doubt,) = refuse_known_days(str(tmp_path / "bundle"), END - DAY, END)
    assert doubt.endswith("does not tell which days it learned from (an older bundle): it may know these")
    assert refuse_known_days("fhs", END - DAY, END) == []


def test_all_assets_of_a_competition_must_be_known():
    names = [one.name for one in chosen_competitions("fhs", baseline("fhs"), RULES, [])]
    assert names == list(RULES.competitions)
    assert [one.name for one in chosen_competitions("fhs", baseline("fhs"), RULES, [HOURLY])] == ["crypto-1h"]

    class BtcAlone(Watching):
        def covers(self, prompt: Prompt) -> bool:
            return prompt.asset == "BTC" and prompt.time_length == DAY

    with pytest.raises(ConfigError, match="only-btc was made for BTC of crypto-24h, not for ETH, SOL, XRP, HYPE"):
        chosen_competitions("only-btc", BtcAlone(), RULES, [])
    with pytest.raises(ConfigError, match="only-btc was not made for com-equ-24h of XAU"):
        chosen_competitions("only-btc", BtcAlone(), RULES, [get_competition("com-equ-24h")])
