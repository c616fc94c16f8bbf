from __future__ import annotations

import numpy as np
import pytest

from synthcity.durations import DAY
from synthcity.market.bars import Bars
from synthcity.market.calendar.activity import ACTIVITY_NAMES, activity_features
from synthcity.market.calendar.clock import new_york
from synthcity.market.calendar.sessions import Session
from synthcity.market.columns import take
from synthcity.market.times import parse_time
from tests.market.calendar.factories import START, trading

OPEN, GAP, SINCE, TO_CLOSE, HOLIDAY = range(len(ACTIVITY_NAMES))


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
