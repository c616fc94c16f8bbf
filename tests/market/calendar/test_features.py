from __future__ import annotations

import numpy as np

from synthcity.market.calendar.features import CALENDAR_NAMES, calendar_features


def test_new_york_clock_follows_daylight_saving():
    opening = CALENDAR_NAMES.index("ramp_open")
    summer = calendar_features(np.array([1_751_895_300 + 600]))  # Monday 2025-07-07 13:45 UTC
    winter = calendar_features(np.array([1_736_174_700 + 600]))  # Monday 2025-01-06 14:55 UTC
    before = calendar_features(np.array([1_736_170_200]))  # Monday 2025-01-06 13:30 UTC
    assert summer[0, opening] > 0.7
    assert winter[0, opening] > 0.6
    assert before[0, opening] < 0.01


def test_a_row_describes_the_step_that_ends_at_its_time():
    weekend = CALENDAR_NAMES.index("weekend")
    monday = 1_736_121_600  # 2025-01-06 00:00 UTC ends a step of Sunday
    assert calendar_features(np.array([monday, monday + 300]))[:, weekend].tolist() == [1, 0]
