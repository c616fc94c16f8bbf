"""Known-future covariates: what the clock alone says about the next steps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from synthcity.durations import DAY
from synthcity.market.calendar.clock import WEEK, new_york

# US hours move by an hour against UTC twice a year, crypto's funding and daily closes do not: describe both clocks
_UTC_HARMONICS = 4
_NEW_YORK_HARMONICS = 6
_NEW_YORK_MINUTES = {"macro": 510, "open": 570, "close": 960}
_RAMP_SECONDS = 5400

CALENDAR_NAMES = (
    *(f"utc_{wave}{k}" for k in range(1, _UTC_HARMONICS + 1) for wave in ("sin", "cos")),
    *(f"new_york_{wave}{k}" for k in range(1, _NEW_YORK_HARMONICS + 1) for wave in ("sin", "cos")),
    "week_sin",
    "week_cos",
    "weekend",
    "ramp_midnight",
    *(f"ramp_{name}" for name in _NEW_YORK_MINUTES),
)


def calendar_features(time: NDArray[np.int64]) -> NDArray[np.float32]:
    """Describe unix ``time`` (n,) by harmonics of the day, week, weekend and ramps after events: (n, features).

    A row describes the step that ENDS at its time, as everything observed then.
    """
    middle = time - 30  # inside the step, so that 00:00 on Monday still ends a Sunday step
    local = new_york(middle)
    # the unix epoch was a Thursday: shift so that the week begins on Monday
    second_of_week = (middle + 3 * DAY) % WEEK
    weekend = second_of_week >= 5 * DAY
    week = 2 * np.pi * second_of_week / WEEK
    columns = [*_harmonics(middle, _UTC_HARMONICS), *_harmonics(local, _NEW_YORK_HARMONICS)]
    columns += [np.sin(week), np.cos(week), weekend.astype(np.float64), np.exp(-(middle % DAY) / _RAMP_SECONDS)]
    for minute in _NEW_YORK_MINUTES.values():
        columns.append(np.exp(-((local - minute * 60) % DAY) / _RAMP_SECONDS) * ~weekend)
    return np.stack(columns, axis=1).astype(np.float32)


def _harmonics(second: NDArray[np.int64], count: int) -> list[NDArray[np.float64]]:
    angle = 2 * np.pi * (second % DAY) / DAY
    return [wave(k * angle) for k in range(1, count + 1) for wave in (np.sin, np.cos)]
