"""The lead by what is scored."""

from __future__ import annotations

import pandas as pd
import pytest

from synthcity.search.report.findings import horizons
from synthcity.search.report.findings.horizons import horizon_rows


def test_each_part_of_the_score_has_its_own_lead_and_what_nobody_is_asked_for_none() -> None:
    rows = [
        ("BTC", 43_200 * at, name, 130 * factor, 100 * factor, 30 * factor * (1.2 if name == "mix" else 1.0), 0.0)
        for at in range(60)
        for name, factor in (("fhs", 1.0 + at % 3), ("mix", 0.9 * (1.0 + at % 3)))
    ]
    columns = ["asset", "start_time", "forecaster", "total", "i_5min", "i_24hour_abs", "i_none"]
    found = horizon_rows(pd.DataFrame(rows, columns=columns), "mix", "fhs", {"BTC": 1.0}, 1)
    assert [(row["group"], row["count"]) for row in found] == [("5 min", 60), ("price 24 h", 60)]
    assert [row["lead"] for row in found] == pytest.approx([-10.0, 8.0])
    few = horizon_rows(pd.DataFrame(rows[:6], columns=columns), "mix", "fhs", {"BTC": 1.0}, 1)
    assert few[0]["low"] is None


@pytest.mark.parametrize(
    ("interval", "said"),
    [
        ("3hour", "3 h"),
        ("60min_abs", "price 60 min"),
        ("0_5min_gaps", "first 5 min"),
        ("volatility_60", "volatility_60"),
    ],
)
def test_an_interval_is_said_as_people_say_it(interval: str, said: str) -> None:
    assert horizons._title(interval) == said
