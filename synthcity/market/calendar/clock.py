"""The two clocks that markets live by: UTC and New York wall time, as arithmetic on unix seconds."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np

from synthcity.durations import DAY
from synthcity.market.bars import Times

WEEK = 7 * DAY
_NEW_YORK = ZoneInfo("America/New_York")


def new_york(times: Times) -> Times:
    """Shift unix seconds (n,) so that they read as New York wall time.

    The offset is taken once a UTC day, at noon: clocks change on Sunday mornings, when no session is open.
    """
    if not len(times):
        return times
    day = times // DAY
    first, last = int(day.min()), int(day.max())
    offsets = [_offset(each) for each in range(first, last + 1)]
    return times + np.array(offsets, dtype=np.int64)[day - first]


def weekday_and_second(times: Times) -> tuple[Times, Times]:
    """Day of the week (0 is Monday) and second of the day of each of ``times``."""
    return (times // DAY + 3) % 7, times % DAY  # 1970-01-01 was a Thursday


@cache
def _offset(day: int) -> int:
    offset = datetime.fromtimestamp(day * DAY + DAY // 2, _NEW_YORK).utcoffset()
    assert offset is not None
    return int(offset.total_seconds())
