"""Bars that keep sessions, for tests."""

from __future__ import annotations

import numpy as np

from synthcity.durations import DAY
from synthcity.market.bars import Bars
from synthcity.market.calendar.holidays import us_shut
from synthcity.market.calendar.sessions import Session, is_open
from synthcity.market.columns import take
from synthcity.market.times import parse_time
from tests.market.factories import make_bars

START = parse_time("2025-08-04")  # a Monday
WINTER = parse_time("2025-11-02")  # clocks go back


def trading(session: Session, days: int, *, start: int = START, resolution: int = 300, rest: bool = True) -> Bars:
    """Bars of a random walk that trades in ``session``, holidays of US exchanges kept."""
    bars = make_bars(days * DAY // resolution, start=start, resolution=resolution)
    shut = us_shut(bars.time) if rest and session is Session.US_EQUITY else np.zeros(len(bars), dtype=bool)
    return take(bars, is_open(session, bars.time) & ~shut)
