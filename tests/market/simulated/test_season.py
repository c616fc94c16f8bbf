from __future__ import annotations

import numpy as np
import pytest

from synthcity.market.calendar.sessions import is_open
from synthcity.market.simulated.assets import COMMODITY, CRYPTO, EQUITY
from synthcity.market.simulated.season import log_profile

WEEK = 1_736_121_600 + 300 * np.arange(7 * 288)  # from Monday 2025-01-06


@pytest.mark.parametrize("group", [CRYPTO, EQUITY, COMMODITY], ids=lambda group: group.name)
def test_strength_bends_the_open_hours_alone(group):
    flat, bent = (log_profile(group, WEEK, strength) for strength in (0.0, 1.0))
    shown = is_open(group.session, WEEK)
    np.testing.assert_allclose(flat[shown], 0.0, atol=1e-12)
    assert bent[shown].std() > 0.1
    np.testing.assert_array_equal(flat[~shown], bent[~shown])


def test_closed_week_ends_are_calmer_than_closed_nights():
    profile = log_profile(EQUITY, WEEK, 1.0)
    closed = ~is_open(EQUITY.session, WEEK)
    day = (WEEK - WEEK[0]) / 86400
    night, weekend = profile[closed & (day > 1) & (day < 4)], profile[closed & (day > 5.5)]
    assert weekend.max() < night.max() < 0
