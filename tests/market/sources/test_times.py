from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from synthcity.errors import DataError
from synthcity.market.sources.times import unix_seconds

PATH = Path("BTC_5m.csv")
NOON = 1_735_732_800  # 2025-01-01 12:00 UTC


def read(*values: object) -> list[int]:
    return unix_seconds(pd.Series(list(values), name="time"), PATH).tolist()


@pytest.mark.parametrize("unit", [1, 10**3, 10**6, 10**9])
@pytest.mark.parametrize("kind", [int, str])
def test_unix_times_in_any_unit(unit, kind):
    assert read(kind(NOON * unit), kind((NOON + 300) * unit)) == [NOON, NOON + 300]


def test_each_time_has_its_own_unit():
    assert read(NOON, (NOON + 300) * 1000, float(NOON + 600), str((NOON + 900) * 10**6)) == [
        NOON + 300 * k for k in range(4)
    ]


@pytest.mark.parametrize(
    "text", ["2025-01-01T12:00Z", "2025-01-01 12:00", "2025-01-01 07:00-05:00", "2025-01-01T13:00:00+0100"]
)
def test_texts_are_utc_unless_they_say_otherwise(text):
    assert read(text, NOON + 300) == [NOON, NOON + 300]


def test_columns_of_times_keep_their_zone():
    times = pd.Series(pd.DatetimeIndex(["2025-01-01 07:00"]).tz_localize("America/New_York"))
    assert unix_seconds(times, PATH).tolist() == [NOON]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ((NOON, None), "row 2 has no timestamp"),
        ((20250101,), "20250101 is no unix time between 1990 and 2100"),
        ((202501011200,), "is no unix time"),
        ((45658.5,), "is no unix time"),
        ((NOON * 1000 + 1,), "fraction of a second"),
        ((NOON + 0.5,), "fraction of a second"),
        (("2025-01-01T12:00:00.5Z",), "fraction of a second"),
        (("01/02/2025",), "something else than times"),
        ((np.inf,), "is no unix time"),
    ],
)
def test_what_is_no_whole_second_is_refused(values, message):
    with pytest.raises(DataError, match=message):
        read(*values)
