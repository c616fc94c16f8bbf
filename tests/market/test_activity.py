from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from synthcity.market.activity import (
    ACTIVITY_NAMES,
    SLOTS_A_DAY,
    Week,
    activity_features,
    learn_week,
    traded,
    week_slot,
)
from synthcity.market.bars import Bars
from synthcity.market.columns import take
from synthcity.market.holidays import us_shut
from synthcity.market.sessions import Session, is_open, new_york
from synthcity.market.times import DAY, parse_time
from tests.market.factories import make_bars

START = parse_time("2025-08-04")  # a Monday
WINTER = parse_time("2025-11-02")  # clocks go back
OPEN, GAP, SINCE, TO_CLOSE, HOLIDAY = range(len(ACTIVITY_NAMES))


def trading(session: Session, days: int, *, start: int = START, resolution: int = 300, rest: bool = True) -> Bars:
    """Bars of a random walk that trades in ``session``, holidays of US exchanges kept."""
    bars = make_bars(days * DAY // resolution, start=start, resolution=resolution)
    shut = us_shut(bars.time) if rest and session is Session.US_EQUITY else np.zeros(len(bars), dtype=bool)
    return take(bars, is_open(session, bars.time) & ~shut)


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


def features(bars: Bars, first: str, steps: int) -> np.ndarray:
    """Features of steps that end from ``first`` on."""
    grid = parse_time(first) + bars.resolution * np.arange(steps, dtype=np.int64)
    return activity_features(bars.observed, grid, bars.resolution, DAY)


def test_features_know_when_the_day_begins_and_ends() -> None:
    bars = trading(Session.US_EQUITY, 90)
    day = features(bars.until(parse_time("2025-10-31T12:00")), "2025-10-31T13:30", 80)  # Friday, 09:30 in New York
    assert day[:, OPEN].tolist() == [0, *[1] * 78, 0]
    np.testing.assert_allclose(day[1, GAP], np.log1p(17.5) / np.log1p(64), rtol=1e-6)
    assert not day[2:, GAP].any()
    np.testing.assert_allclose(day[1:79, SINCE], np.exp(-np.arange(78) / 12), rtol=1e-6)
    np.testing.assert_allclose(day[7:79, TO_CLOSE], np.exp(-np.arange(71, -1, -1) / 12), rtol=1e-6)
    assert not day[[0, 79], SINCE:].any()
    monday = features(bars.until(parse_time("2025-10-31T12:00")), "2025-11-03T14:35", 1)  # after the change of clocks
    np.testing.assert_allclose(monday[0, :3], [1, np.log1p(66.5) / np.log1p(64), 1], rtol=1e-6)


def test_features_know_holidays() -> None:
    bars = trading(Session.US_EQUITY, 120)
    eve, thanksgiving, friday = (
        features(bars.until(parse_time("2025-11-26T20:00")), f"2025-11-{day}T14:30", 79) for day in (26, 27, 28)
    )
    assert (eve[:, OPEN].sum(), thanksgiving[:, OPEN].sum(), friday[:, OPEN].sum()) == (78, 0, 42)
    assert (eve[:, HOLIDAY].sum(), thanksgiving[:, HOLIDAY].sum(), friday[:, HOLIDAY].sum()) == (0, 79, 36)
    np.testing.assert_allclose(friday[1, GAP], np.log1p(41.5) / np.log1p(64), rtol=1e-6)
    restless = trading(Session.US_EQUITY, 120, start=parse_time("2025-11-03"), rest=False)
    assert features(restless.until(parse_time("2025-12-24T20:00")), "2025-12-25T14:30", 79)[:, OPEN].sum() == 78
    always = features(trading(Session.ALWAYS, 120), "2025-11-27T14:30", 79)
    assert always[:, OPEN].all()
    assert always[:, HOLIDAY].all()


def test_a_holiday_teaches_nothing_about_next_week() -> None:
    bars = trading(Session.US_EQUITY, 160)
    week = features(bars.until(parse_time("2026-01-01T12:00")), "2026-01-02T14:35", 3 * 288)
    assert set(np.unique(week[:, OPEN])) == {0, 1}  # four weeks with Christmas and New Year in them
    assert week[:, OPEN].sum() == 78


def test_an_asset_that_never_closes_has_nothing_to_tell() -> None:
    table = features(trading(Session.ALWAYS, 40), "2025-09-08", 4 * 288)
    np.testing.assert_array_equal(table, np.tile(np.float32([1, 0, 0, 0, 0]), (len(table), 1)))


def test_before_the_first_week_everything_is_open() -> None:
    early = features(trading(Session.US_EQUITY, 30), "2025-08-04T13:35", 5 * 288)
    assert early[:, OPEN].all()
    assert activity_features(np.zeros(0, dtype=np.int64), np.array([START]), 300, DAY).tolist() == [[1, 0, 0, 0, 0]]
    assert activity_features(np.array([START]), np.zeros(0, dtype=np.int64), 300, DAY).shape == (0, 5)


def test_half_the_weeks_count_half() -> None:
    bars = trading(Session.FUTURES, 60)
    second = (bars.time - START) // (7 * DAY) % 2 == 1
    asleep = second & (new_york(bars.time) % DAY < 3600)
    night = features(take(bars, ~asleep), "2025-09-16T04:05", 12)
    np.testing.assert_array_equal(night[:, OPEN], 0.5)


@pytest.mark.parametrize("session", list(Session))
@pytest.mark.parametrize("resolution", [300, 60])
def test_uses_nothing_within_a_horizon(session: Session, resolution: int) -> None:
    bars = trading(session, 60, resolution=resolution)
    now = parse_time("2025-09-25T15:00")
    grid = now + resolution * np.arange(1, DAY // resolution + 1)
    known = activity_features(bars.until(now).observed, grid, resolution, DAY)
    np.testing.assert_array_equal(known, activity_features(bars.observed, grid, resolution, DAY))


@pytest.mark.parametrize("session", list(Session))
def test_a_row_does_not_depend_on_its_grid(session: Session) -> None:
    bars = trading(session, 120)
    grid = bars.time[0] + 300 * np.arange(118 * 288)
    whole = activity_features(bars.observed, grid, 300, DAY)
    for first, last in ((20_000, 20_001), (25_000, 25_300), (33_000, len(grid))):
        part = activity_features(bars.observed, grid[first:last], 300, DAY)
        np.testing.assert_array_equal(part, whole[first:last])
    # nor on history older than eight weeks
    recent = bars.observed[bars.observed > grid[30_000] - 57 * DAY]
    np.testing.assert_array_equal(activity_features(recent, grid[30_000:31_000], 300, DAY), whole[30_000:31_000])


def test_refuses_a_horizon_beyond_its_lags() -> None:
    with pytest.raises(ValueError, match="604800 s ahead; the horizon may be 518400 s at most"):
        activity_features(np.zeros(0, dtype=np.int64), np.array([START]), 300, 7 * DAY)
