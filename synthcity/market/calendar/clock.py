"""The two clocks that markets live by: UTC and New York wall time, as arithmetic on unix seconds."""

from __future__ import annotations

from datetime import datetime
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
    days, position = np.unique(times // DAY, return_inverse=True)
    offsets = [_offset(int(day) * DAY + DAY // 2) for day in days]
    return times + np.array(offsets, dtype=np.int64)[position]


def weekday_and_second(times: Times) -> tuple[Times, Times]:
    """Day of the week (0 is Monday) and second of the day of each of ``times``."""
    return (times // DAY + 3) % 7, times % DAY  # 1970-01-01 was a Thursday


def _offset(seconds: int) -> int:
    offset = datetime.fromtimestamp(seconds, _NEW_YORK).utcoffset()
    assert offset is not None
    return int(offset.total_seconds())
