"""How volatility follows the clock in the simulated market: hours of the week, and minutes of the hour."""

from __future__ import annotations

from functools import cache

import numpy as np

from synthcity.durations import DAY, HOUR, MINUTE
from synthcity.market.bars import Floats, Times
from synthcity.market.calendar.clock import new_york, weekday_and_second
from synthcity.market.calendar.sessions import is_open
from synthcity.market.simulated.assets import COMMODITY, CRYPTO, EQUITY, AssetGroup

_REFERENCE_WEEK = 1_735_516_800 + 300 * np.arange(7 * 288, dtype=np.int64)  # Monday 2024-12-30 onwards
_CLOSED_NIGHT, _CLOSED_WEEKEND = np.log(0.3), np.log(0.15)  # of open hours; prices move while nobody trades


def log_profile(group: AssetGroup, times: Times, strength: float) -> Floats:
    """Log of the volatility multiplier at each of ``times`` (unix seconds, (n,)).

    Over the open hours of a week its squares average 1, so that ``hourly_sigma`` keeps its meaning at any
    ``strength``. While a session is closed the price drifts on at a small part of the usual volatility.
    """
    open_now = is_open(group.session, times)
    shape = strength * _shape(group, times) - _log_level(group, strength)
    day, _ = weekday_and_second(new_york(times))
    return np.where(open_now, shape, np.where(day < 5, _CLOSED_NIGHT, _CLOSED_WEEKEND))


def burst_multipliers(minutes: Times, strength: float) -> Floats:
    """Volatility of minutes that open at ``minutes`` (n,) relative to the hour's, whose squares average 1.

    It jumps on every fifth minute, most on the full hour, and ebbs within minutes; at a strength of 1 about twice as
    much as real crypto.
    """
    after = MINUTE * np.arange(HOUR // MINUTE)
    height = sum(
        size * np.exp(-(after % every) / (3 * MINUTE))
        for every, size in ((300, 0.1), (900, 0.15), (1800, 0.1), (3600, 0.2))
    )
    hour = np.exp(strength * np.asarray(height))
    return np.asarray((hour / np.sqrt(np.mean(hour**2)))[minutes % HOUR // MINUTE])


@cache
def _log_level(group: AssetGroup, strength: float) -> float:
    week = _REFERENCE_WEEK[is_open(group.session, _REFERENCE_WEEK)]
    return float(0.5 * np.log(np.mean(np.exp(2 * strength * _shape(group, week)))))


def _shape(group: AssetGroup, times: Times) -> Floats:
    day, second = weekday_and_second(new_york(times))
    working = day < 5
    if group is EQUITY:  # busy open, quiet lunch, livelier close
        return 0.9 * _bump(second, 9.5, 0.8) + 0.35 * _bump(second, 16.0, 0.7) - 0.2 * _bump(second, 13.0, 1.0)
    us_open = _bump(second, 10.0, 1.5)
    if group is COMMODITY:  # London and New York, quiet Asia
        return 0.6 * us_open + 0.4 * _bump(second, 4.5, 2.0) - 0.3 * _bump(second, 19.5, 2.0)
    assert group is CRYPTO
    asia = _bump(times % DAY, 0.75, 1.0)
    quiet = _bump(times % DAY, 5.5, 2.5)
    return 0.35 * asia - 0.3 * quiet + np.where(working, 0.65 * us_open, 0.1 * us_open - 0.4)


def _bump(second: Times, centre_hours: float, width_hours: float) -> Floats:
    """Gaussian bump of height 1 around an hour of the day, across midnight too."""
    distance = (second / 3600 - centre_hours + 12) % 24 - 12
    return np.asarray(np.exp(-0.5 * (distance / width_hours) ** 2))
