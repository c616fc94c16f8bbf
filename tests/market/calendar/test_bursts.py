from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from synthcity.durations import DAY, HOUR
from synthcity.market.bars import Bars
from synthcity.market.calendar.bursts import BurstConfig, hourly_shares, learn_bursts, past_bursts
from synthcity.market.calendar.minutes import over_steps
from synthcity.market.columns import take
from synthcity.market.simulated import SimulatedConfig, SimulatedMarket
from synthcity.market.simulated.season import burst_multipliers
from tests.market.factories import START, make_bars

BURSTS = SimulatedConfig(seed=3, days=60, bursts=1.0)
HOUR_OF_MINUTES = START + 60 * np.arange(60, dtype=np.int64)
FLAT = replace(make_bars(40 * 288), close=np.full(40 * 288, 100.0))


@pytest.fixture(scope="module")
def market() -> SimulatedMarket:
    return SimulatedMarket(BURSTS)


@pytest.mark.parametrize(("resolution", "tolerance"), [(60, 0.06), (300, 0.09)])
def test_the_bursts_of_a_known_market_are_recovered(market: SimulatedMarket, resolution: int, tolerance: float) -> None:
    """From minutes by minute, from bars of five minutes in their sums and as minutes usually share them out."""
    found = learn_bursts(market.bars("BTC", resolution), BurstConfig())
    truth = burst_multipliers(HOUR_OF_MINUTES, 1.0)
    minutes = found.multiplier.mean(axis=0)
    fives, known = (np.sqrt(np.mean(each.reshape(12, 5) ** 2, axis=1)) for each in (minutes, truth))
    np.testing.assert_allclose(fives, known, rtol=0.07)
    assert fives.argmax() == 0
    assert np.sqrt(np.mean((minutes / truth - 1) ** 2)) < tolerance


def test_a_market_without_bursts_has_none(market: SimulatedMarket) -> None:
    plain = SimulatedMarket(replace(BURSTS, bursts=0.0)).bars("BTC", 300)
    ends = START + 300 * np.arange(1, 289, dtype=np.int64)
    found = over_steps(ends, 300, learn_bursts(plain, BurstConfig()))
    assert found.std() < 0.05
    assert np.abs(found - 1).max() < 0.15


def test_an_hour_of_the_day_may_have_bursts_of_its_own() -> None:
    """Three times the volatility from 13:30 to 13:35, and in no other hour."""
    bars = make_bars(60 * 288, seed=4)
    moves = np.diff(np.log(bars.close), prepend=np.log(100.0))
    close = 100 * np.exp(np.cumsum(np.where(bars.time % DAY == 13.5 * HOUR, 3.0, 1.0) * moves))
    found = learn_bursts(replace(bars, close=close), BurstConfig())
    ends = START + 300 * np.arange(1, 289, dtype=np.int64)
    sums = over_steps(ends, 300, found)
    assert sums.argmax() == 13 * 12 + 6
    assert sums.max() > 1.2
    assert np.delete(sums, np.arange(13 * 12, 14 * 12)).max() < 1.2


def test_what_comes_later_changes_nothing() -> None:
    bars = make_bars(70 * 288)
    now = int(bars.observed[60 * 288 + 7])
    changed = replace(bars, close=np.where(bars.observed > now, 3 * bars.close, bars.close))
    before, after = (learn_bursts(each.until(now), BurstConfig()) for each in (bars, changed))
    np.testing.assert_array_equal(before.multiplier, after.multiplier)


@pytest.mark.parametrize(
    "bars",
    [
        FLAT,
        FLAT.slice(0, 0),
        FLAT.slice(0, 1),
        make_bars(5),
        make_bars(400, resolution=3600),
        make_bars(30, resolution=DAY),
        take(make_bars(288), np.arange(288) % 7 != 3),
        replace(make_bars(48), close=np.full(48, np.nan)),
        replace(make_bars(48), close=np.zeros(48)),
    ],
    ids=["flat", "nothing", "one bar", "no whole hour", "hours", "days", "gaps", "unknown", "zeros"],
)
def test_who_knows_nothing_expects_what_is_usual_and_no_mark(bars: Bars) -> None:
    found = learn_bursts(bars, BurstConfig())
    assert found.multiplier.shape == (24, 60)
    assert over_steps(START + 300 * np.arange(1, 13, dtype=np.int64), 300, found) == pytest.approx(1.0)


def test_an_hour_with_a_gap_tells_nothing_and_the_others_still_do() -> None:
    bars = make_bars(48)
    hours, shares = hourly_shares(take(bars, np.arange(48) != 17))
    # the first return of all lacks the close before, the 17th bar those of its own hour
    assert hours.tolist() == [START // HOUR + 2, START // HOUR + 3]
    moves = np.abs(np.diff(np.log(bars.close)))
    np.testing.assert_allclose(shares[0], moves[23:35] / moves[23:35].mean())


def test_one_jump_is_no_mark() -> None:
    bars = make_bars(60 * 288)
    jumped = replace(bars, close=np.where(np.arange(60 * 288) > 9000, 2 * bars.close, bars.close))
    ends = START + 300 * np.arange(1, 289, dtype=np.int64)
    before, after = (over_steps(ends, 300, learn_bursts(each, BurstConfig())) for each in (bars, jumped))
    assert np.abs(after / before - 1).max() < 0.03


def test_each_minute_of_the_past_knows_what_a_prompt_could_know_a_day_before() -> None:
    bars = make_bars(70 * 288, seed=6)
    first, last = int(bars.observed[60 * 288]), int(bars.observed[-1])
    told = past_bursts(bars, first, last, days=56, ahead=DAY)
    minutes = np.arange(first, last, 60 * 71, dtype=np.int64)
    for minute in minutes[::20]:
        known = bars.until(int(minute) - DAY)
        alone = past_bursts(known, int(minute), int(minute), days=56, ahead=DAY)
        np.testing.assert_allclose(alone(np.array([minute])), told(np.array([minute])), rtol=1e-12)
    midnight = last // DAY * DAY - DAY
    whole = learn_bursts(bars.until(midnight - DAY), BurstConfig())
    late = midnight + 3 * HOUR + 60 * np.arange(120, dtype=np.int64)
    np.testing.assert_allclose(told(late), whole(late), rtol=1e-9)
