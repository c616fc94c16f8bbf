from __future__ import annotations

import numpy as np

from synthcity.durations import DAY
from synthcity.market.calendar.clock import new_york, weekday_and_second
from synthcity.market.times import parse_time


def test_new_york_weekday():
    times = np.array([parse_time("2025-01-06T03:00"), parse_time("2025-07-07T05:00")])
    day, second = weekday_and_second(new_york(times))
    assert day.tolist() == [6, 0]
    assert second.tolist() == [22 * 3600, 3600]


def test_new_york_reads_as_the_wall_clock_on_both_sides_of_a_change():
    # clocks went forward on 2025-03-09 and back on 2025-11-02: sessions before and after open at 09:30 by the wall
    opens = np.array([parse_time(text) for text in ("2025-03-07T14:30", "2025-03-10T13:30", "2025-11-03T14:30")])
    assert (new_york(opens) % DAY).tolist() == [9.5 * 3600] * 3
