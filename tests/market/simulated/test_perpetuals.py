"""Gold, oil and equities round the clock: what they add to their sessions, and that it can be learned."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from synthcity.forecast.baselines.fhs import Fhs, FhsConfig
from synthcity.forecast.baselines.profile import ProfileConfig
from synthcity.forecast.evaluation.backtest import backtest, backtest_prompts
from synthcity.forecast.evaluation.compare import lead
from synthcity.forecast.named import Named
from synthcity.market.calendar.clock import new_york, weekday_and_second
from synthcity.market.calendar.sessions import Session, is_open
from synthcity.market.simulated import SimulatedConfig, SimulatedMarket, SimulatedOracle
from synthcity.market.simulated.assets import simulated_asset
from synthcity.market.simulated.law import Streams
from synthcity.market.simulated.perpetuals import COMPANIES, earnings, surprises
from synthcity.sn50.competitions import get_competition
from synthcity.sn50.prompt import Prompt
from tests.market.factories import assert_equal

DAY, HOUR = 86400, 3600
CONFIG = SimulatedConfig(seed=4, days=100, round_the_clock=True)
ASSETS = ("XAU", "NVDAX", "SP500")


@pytest.fixture(scope="module")
def perpetuals() -> SimulatedMarket:
    return SimulatedMarket(CONFIG)


def minutes(days: int) -> np.ndarray:
    return CONFIG.epoch + 60 * np.arange(days * 1440, dtype=np.int64)


def test_crypto_and_the_regular_markets_stay_as_they_are(perpetuals):
    regular = SimulatedMarket(replace(CONFIG, round_the_clock=False))
    assert_equal(perpetuals.bars("BTC"), regular.bars("BTC"))
    assert SimulatedConfig().round_the_clock is False
    assert len(regular.bars("SP500")) < len(perpetuals.bars("SP500")) / 4


@pytest.mark.parametrize("asset", get_competition("com-equ-24h").assets)
def test_every_asset_of_the_competition_trades_round_the_clock(perpetuals, asset):
    bars = perpetuals.bars(asset)
    np.testing.assert_array_equal(bars.time, CONFIG.epoch + 300 * np.arange(CONFIG.days * 288))


def test_nights_and_week_ends_are_quiet_and_not_flat(perpetuals):
    bars = perpetuals.bars("SP500")
    size = np.abs(np.diff(np.log(bars.close)))
    day, _ = weekday_and_second(new_york(bars.time[1:]))
    at_work = is_open(Session.US_EQUITY, bars.time[1:])
    work, night, week_end = (np.median(size[rows]) for rows in (at_work, ~at_work & (day < 5), day >= 5))
    assert 0 < week_end < 0.8 * night < 0.5 * work
    assert (size > 0).all()


def test_news_comes_while_the_regular_market_is_closed_about_as_often_as_it_should():
    ends = minutes(1000) + 60
    law = simulated_asset("XAU")
    found = surprises(CONFIG, Streams(1).rng, law, ends, 60, ends.shape)
    assert not found[is_open(law.group.session, ends - 60)].any()
    assert np.count_nonzero(found) == pytest.approx(1.5 * 1000 / 7, rel=0.25)
    assert np.std(found[found != 0]) == pytest.approx(1.5 * law.hourly_sigma, rel=0.2)
    assert not surprises(CONFIG, Streams(1).rng, simulated_asset("BTC"), ends, 60, ends.shape).any()


@pytest.mark.parametrize("asset", COMPANIES)
def test_a_company_reports_every_thirteen_weeks_after_the_close_of_a_tuesday(asset):
    told = minutes(364)[earnings(simulated_asset(asset), minutes(364))]
    assert len(told) == 4
    assert np.diff(told // DAY).tolist() == [91, 91, 91]
    day, second = weekday_and_second(new_york(told))
    assert set(day) == {1}
    assert set(second) == {16 * HOUR + 300}


def test_the_oracle_knows_of_an_earnings_night_and_an_ordinary_one_is_calm(perpetuals):
    law = simulated_asset("NVDAX")
    (told, *_) = minutes(CONFIG.days)[earnings(law, minutes(CONFIG.days))]
    spread = {}
    for name, start in (("earnings", told - HOUR + 240), ("ordinary", told - 7 * DAY - HOUR + 240)):
        asked = Prompt(asset="NVDAX", start_time=int(start) // 300 * 300, time_length=4 * HOUR, num_simulations=400)
        paths = SimulatedOracle(perpetuals).simulate(perpetuals.market(["NVDAX"]).as_of(CONFIG.end), asked, seed=1)
        spread[name] = np.std(np.log(paths[:, -1] / paths[:, 0]))
    assert spread["earnings"] > 2.5 * spread["ordinary"]
    assert spread["earnings"] == pytest.approx(6 * law.hourly_sigma, rel=0.4)


def test_a_longer_market_begins_as_a_shorter_one(perpetuals):
    shorter = SimulatedMarket(replace(CONFIG, days=40)).bars("TSLAX", 60)
    assert_equal(perpetuals.bars("TSLAX", 60, end=CONFIG.epoch + 40 * DAY), shorter)


def test_who_learns_the_quiet_hours_beats_who_does_not_and_the_oracle_beats_both(perpetuals):
    """com-equ, offline: the same FHS with and without its profile, on prompts at all hours of all days."""
    market, competition = perpetuals.market(ASSETS), get_competition("com-equ-24h")
    start = CONFIG.epoch + 62 * DAY
    asked = backtest_prompts(competition, ASSETS, start, start + 34 * DAY, 53 * HOUR, num_simulations=100)
    blind = Fhs(FhsConfig(profile=ProfileConfig(shrinkage=1.0), sessions=None))
    forecasters = [Fhs(), Named(blind, "blind"), SimulatedOracle(perpetuals)]
    scores = backtest(forecasters, market, asked, competition).scores
    assert lead(scores, "fhs", "blind").high < -1.0, "clear of zero, in percent"
    assert lead(scores, "oracle", "fhs").proven
    by_asset = lead(scores, "fhs", "blind").by_asset
    assert all(by_asset[asset] < 0 for asset in ASSETS)
