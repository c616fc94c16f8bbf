"""Releases that are known ahead, and learning what they do from prices whose law is known."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from synthcity.durations import DAY, MINUTE
from synthcity.market.calendar.clock import new_york
from synthcity.market.calendar.events.event import Kind
from synthcity.market.calendar.events.learning import learn
from synthcity.market.calendar.events.response import EDGES
from synthcity.market.simulated import SimulatedConfig, SimulatedMarket, SimulatedOracle
from synthcity.market.simulated.assets import simulated_asset
from synthcity.market.simulated.releases import KNOWN_AHEAD, release_calendar, release_multipliers
from synthcity.sn50.prompt import Prompt

CONFIG = SimulatedConfig(seed=4, days=300, releases_a_week=2, fast_spread=0.2, slow_spread=0.3)
QUIET = replace(CONFIG, releases_a_week=0)


def test_releases_are_dated_ahead_on_weekday_mornings_and_a_longer_market_begins_alike():
    dated = release_calendar(CONFIG).dated
    assert {int(new_york(np.array([e.time]))[0]) % DAY for e in dated} == {8 * 3600 + 1800}
    assert {e.time - e.known_from for e in dated} == {KNOWN_AHEAD}
    assert [e.kind for e in dated[:4]] == [Kind.CPI, Kind.NFP, Kind.CPI, Kind.NFP]
    assert release_calendar(replace(CONFIG, days=600)).dated[: len(dated)] == dated
    assert release_calendar(QUIET).dated == ()


def test_a_release_bursts_and_decays_and_leaves_all_other_minutes_as_they_are():
    (first, *_) = (e for e in release_calendar(CONFIG).dated if e.time > CONFIG.epoch + DAY)
    minutes = first.time + 60 * np.arange(-300, 300, dtype=np.int64)
    found = release_multipliers(CONFIG, minutes)
    height = 5 if first.kind is Kind.CPI else 2.5
    assert found[300] == pytest.approx(1 + height)
    assert found[320] == pytest.approx(1 + height / 2)
    assert (found[:300] == 1).all()
    assert (found[540:] == 1).all()


def test_a_day_without_a_release_has_the_returns_it_had_and_its_minutes_the_same_bits():
    with_releases, without = (SimulatedMarket(config)._truth(simulated_asset("BTC")) for config in (CONFIG, QUIET))
    minutes = CONFIG.epoch + 60 * np.arange(CONFIG.days * 1440, dtype=np.int64)
    ordinary = release_multipliers(CONFIG, minutes) == 1
    assert 0.9 < ordinary.mean() < 1
    np.testing.assert_array_equal(with_releases.returns[ordinary], without.returns[ordinary])
    assert (with_releases.returns[~ordinary] != without.returns[~ordinary]).all()


def test_what_releases_do_is_learned_from_the_prices():
    market = SimulatedMarket(CONFIG)
    bars = {asset: market.bars(asset) for asset in ("BTC", "ETH", "SOL", "XRP")}
    found = learn(bars, release_calendar(CONFIG), CONFIG.end, {})
    for kind, height in ((Kind.CPI, 5.0), (Kind.NFP, 2.5)):
        since = np.arange(EDGES[0], EDGES[-1])
        truth = np.where(since >= 0, 1 + height * 0.5 ** (np.maximum(since, 0) / 20), 1.0)
        means = [truth[(since >= low) & (since < high)].mean() for low, high in pairwise(EDGES)]
        assert found.num_events[kind] > 40
        np.testing.assert_allclose(found.pooled[kind], means, rtol=0.25)


def test_the_oracle_knows_them():
    market = SimulatedMarket(CONFIG)
    oracle = [SimulatedMarket(config) for config in (CONFIG, QUIET)]
    (release, *_) = (e.time for e in release_calendar(CONFIG).dated if e.time > CONFIG.epoch + 3 * DAY)
    prompt = Prompt(asset="BTC", start_time=release - 30 * MINUTE, num_simulations=500)
    history = market.market(["BTC"]).as_of(prompt.start_time)
    moving, still = (
        np.diff(np.log(SimulatedOracle(each).simulate(history, prompt, seed=1)), axis=1).std(axis=0) for each in oracle
    )
    assert moving[6] > 2 * still[6]
    np.testing.assert_allclose(moving[60:], still[60:], rtol=1e-9)
