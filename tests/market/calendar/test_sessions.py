from __future__ import annotations

import numpy as np
import pytest

from synthcity.market.calendar.sessions import Session, is_open
from synthcity.market.times import parse_time


def opens(session: Session, text: str) -> bool:
    return bool(is_open(session, np.array([parse_time(text)]))[0])


@pytest.mark.parametrize(
    ("text", "equity", "futures"),
    [
        ("2025-01-06T14:25", False, True),  # Monday, winter: 09:25 in New York
        ("2025-01-06T14:30", True, True),
        ("2025-01-06T20:55", True, True),
        ("2025-01-06T21:00", False, True),
        ("2025-01-06T22:00", False, False),  # the daily break
        ("2025-01-06T23:00", False, True),
        ("2025-07-07T13:30", True, True),  # summer: an hour earlier in UTC
        ("2025-07-07T20:00", False, True),
        ("2025-01-10T22:00", False, False),  # Friday evening
        ("2025-01-10T23:30", False, False),
        ("2025-01-11T15:00", False, False),  # Saturday
        ("2025-01-12T22:55", False, False),  # Sunday before 18:00
        ("2025-01-12T23:00", False, True),
    ],
)
def test_sessions(text, equity, futures):
    assert opens(Session.US_EQUITY, text) is equity
    assert opens(Session.FUTURES, text) is futures
    assert opens(Session.ALWAYS, text)


def test_weekly_hours():
    week = parse_time("2025-02-03") + 300 * np.arange(7 * 288)
    hours = {session: is_open(session, week).sum() / 12 for session in Session}
    assert hours == {Session.ALWAYS: 168, Session.US_EQUITY: 32.5, Session.FUTURES: 115}
