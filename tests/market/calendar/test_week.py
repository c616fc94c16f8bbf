from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from synthcity.durations import DAY
from synthcity.market.bars import Bars
from synthcity.market.calendar.clock import new_york
from synthcity.market.calendar.sessions import Session, is_open
from synthcity.market.calendar.week import SLOTS_A_DAY, Week, learn_week, traded, week_slot
from synthcity.market.columns import take
from synthcity.market.times import parse_time
from tests.market.calendar.factories import START, WINTER, trading
from tests.market.factories import make_bars


def filled(bars: Bars) -> Bars:
    """The same with the last price repeated wherever there is no bar."""
    time = np.arange(bars.time[0], bars.time[-1] + 1, bars.resolution)
    at = np.searchsorted(bars.time, time, side="right") - 1
    close = bars.close[at]
    return Bars(time, close, close, close, close, np.zeros(len(time)), bars.resolution)


def hours(week: Week) -> list[float]:
    """Open hours by day, Monday first."""
    return [float((~day).sum() / 12) for day in week.closed.reshape(7, SLOTS_A_DAY)]


def test_slots_run_from_monday_midnight_in_new_york() -> None:
    times = ["2025-08-04T04:05", "2025-08-04T04:00", "2025-08-04T13:35", "2025-11-03T14:35", "2025-08-04T13:31"]
    slots = week_slot(np.array([parse_time(text) for text in times]))
    assert slots.tolist() == [0, 2015, 114, 114, 114]


@pytest.mark.parametrize(
    ("session", "expected", "keeps_holidays", "closure_hours"),
    [
        (Session.US_EQUITY, [6.5] * 5 + [0, 0], True, 17.5),
        (Session.FUTURES, [23] * 4 + [17, 0, 6], False, 1),
        (Session.ALWAYS, [24] * 7, False, 0),
    ],
)
@pytest.mark.parametrize("resolution", [300, 60])
def test_learns_the_sessions(
    session: Session, expected: list[float], keeps_holidays: bool, closure_hours: float, resolution: int
) -> None:
    week = learn_week(trading(session, 40, resolution=resolution))
    assert hours(week) == expected
    assert week.keeps_holidays is keeps_holidays
    assert week.closure_seconds == closure_hours * 3600
    assert week.rests is (session is not Session.ALWAYS)
    assert not week.thin.any()


def test_a_change_of_clocks_moves_nothing() -> None:
    bars = trading(Session.US_EQUITY, 90)
    after = WINTER + np.arange(300, 5 * DAY, 300)
    np.testing.assert_array_equal(
        learn_week(bars.until(WINTER - DAY)).opens(after), is_open(Session.US_EQUITY, after - 300)
    )


def test_a_feed_that_repeats_the_last_price_is_closed_all_the_same() -> None:
    bars = trading(Session.US_EQUITY, 56)
    np.testing.assert_array_equal(learn_week(filled(bars)).closed, learn_week(bars).closed)
    assert traded(filled(bars)).sum() == len(bars) - 1  # nobody knows of the first


def test_an_outage_closes_nothing() -> None:
    bars = make_bars(40 * 288, start=START)
    there = (bars.time < START + 30 * DAY) | (bars.time >= START + 31 * DAY)
    assert not learn_week(take(bars, there)).rests


def test_two_weeks_are_enough_for_sessions() -> None:
    assert hours(learn_week(trading(Session.FUTURES, 21))) == [23] * 4 + [17, 0, 6]
    assert hours(learn_week(trading(Session.US_EQUITY, 14))) == [6.5] * 5 + [0, 0]


def test_what_begins_to_trade_is_open_a_week_later() -> None:
    bars, whole = trading(Session.US_EQUITY, 70), trading(Session.ALWAYS, 70)
    since = START + 60 * DAY
    joined = take(whole, np.isin(whole.time, bars.time) | (whole.time >= since))
    assert hours(learn_week(joined.until(since + 8 * DAY))) == [24.0] * 7
    # what stops is given more time: a step too many costs less than one too few
    joined = take(whole, np.isin(whole.time, bars.time) | (whole.time < since))
    assert hours(learn_week(joined.until(since + 8 * DAY))) == [24.0] * 7


def test_a_thin_night_is_no_closed_one() -> None:
    bars = make_bars(56 * 288, start=START)
    night = new_york(bars.time) % DAY < 6 * 3600
    still = night & (np.random.default_rng(1).random(len(bars)) < 0.5)
    at = np.maximum.accumulate(np.where(still, 0, np.arange(len(bars))))
    week = learn_week(replace(bars, close=bars.close[at]))
    assert not week.closed.any()
    assert week.thin.reshape(7, SLOTS_A_DAY)[:, 3:69].all()
    assert not week.thin.reshape(7, SLOTS_A_DAY)[:, 75:285].any()
    assert week.rests


def test_a_price_that_never_moves_is_no_session() -> None:
    flat = np.ones(2016)
    bars = make_bars(2016)
    assert not learn_week(Bars(bars.time, flat, flat, flat, flat, flat, 300)).rests
    assert not learn_week(bars.slice(0, 0)).rests


def test_expects_no_trade_on_the_holidays_of_keeps_holidays() -> None:
    thanksgiving = np.array([parse_time("2025-11-27T15:00"), parse_time("2025-11-28T17:00"), WINTER + 9 * DAY + 54_000])
    assert learn_week(trading(Session.US_EQUITY, 90)).opens(thanksgiving).tolist() == [False, True, True]
    assert learn_week(trading(Session.FUTURES, 90)).opens(thanksgiving).all()
    # an asset of US hours that traded on Labor Day will trade on Thanksgiving
    assert learn_week(trading(Session.US_EQUITY, 90, rest=False)).opens(thanksgiving).all()
