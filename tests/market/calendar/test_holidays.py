from __future__ import annotations

import numpy as np
import pytest

from synthcity.market.calendar.holidays import early_closes, holidays, us_shut
from synthcity.market.times import parse_time


@pytest.mark.parametrize(
    ("year", "days"),
    [
        # as NYSE published them
        (2021, "01-01 01-18 02-15 04-02 05-31 07-05 09-06 11-25 12-24"),
        (2022, "01-17 02-21 04-15 05-30 06-20 07-04 09-05 11-24 12-26"),
        (2025, "01-01 01-20 02-17 04-18 05-26 06-19 07-04 09-01 11-27 12-25"),
        (2026, "01-01 01-19 02-16 04-03 05-25 06-19 07-03 09-07 11-26 12-25"),
    ],
)
def test_holidays(year: int, days: str) -> None:
    assert sorted(f"{day:%m-%d}" for day in holidays(year)) == days.split()


@pytest.mark.parametrize(
    ("year", "days"), [(2020, "11-27 12-24"), (2021, "11-26"), (2025, "07-03 11-28 12-24"), (2026, "11-27 12-24")]
)
def test_early_closes(year: int, days: str) -> None:
    assert sorted(f"{day:%m-%d}" for day in early_closes(year)) == days.split()


@pytest.mark.parametrize(
    ("text", "shut"),
    [
        ("2025-11-27T04:55", False),  # still Wednesday in New York
        ("2025-11-27T05:00", True),
        ("2025-11-28T04:55", True),
        ("2025-11-28T17:55", False),
        ("2025-11-28T18:00", True),  # 13:00 in New York
        ("2025-11-29T12:00", False),  # week-ends are another matter
        ("2025-07-03T16:55", False),  # summer time
        ("2025-07-03T17:00", True),
    ],
)
def test_shut_by_the_clock_of_new_york(text: str, shut: bool) -> None:
    assert us_shut(np.array([parse_time(text)])).tolist() == [shut]
