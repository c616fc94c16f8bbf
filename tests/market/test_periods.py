from __future__ import annotations

from datetime import date

import pytest

from synthcity.errors import ConfigError
from synthcity.market.periods import Period, Periods, prompt_range
from tests.market.factories import START

DAY = 86400
SPANS = {
    "train": ["2025-01-01", "2025-08-01"],
    "validation": [date(2025, 8, 1), "2025-11-01"],
    "test": ["2025-11-01", "2026-01-01T00:00"],
}


def test_parse_reads_utc_and_takes_touching_periods():
    periods = Periods.parse(SPANS)
    assert periods.train.start == START
    assert periods.train.end == periods.validation.start
    assert str(periods.test) == "2025-11-01 00:00 to 2026-01-01 00:00"


def test_forecast_windows_of_two_periods_never_meet():
    periods = Periods.parse(SPANS)
    _, last = prompt_range(periods.train, DAY)
    first, _ = prompt_range(periods.validation, DAY)
    assert last + DAY <= first
    assert first - last >= DAY


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"validation": ["2025-07-31", "2025-11-01"]}, r"validation \(2025-07-31.*begins before train"),
        ({"test": ["2025-01-01", "2025-02-01"]}, "begins before validation"),
        ({"train": ["2025-08-01", "2025-01-01"]}, "ends before it begins"),
        ({"train": ["2025-01-01", "2025-01-01"]}, "ends before it begins"),
        ({"train": "2025-01-01"}, "must be a pair"),
        ({"train": ["2025-01-01"]}, "must be a pair"),
        ({"train": ["soon", "2025-08-01"]}, "'soon' is no time"),
        ({"valdation": ["2025-08-01", "2025-11-01"]}, "did you mean 'validation'"),
    ],
)
def test_nonsense_is_refused(changes, message):
    with pytest.raises(ConfigError, match=message):
        Periods.parse(SPANS | changes)


def test_missing_period_is_named():
    with pytest.raises(ConfigError, match="the key test is missing"):
        Periods.parse({name: SPANS[name] for name in ("train", "validation")})


def test_period_must_hold_a_horizon():
    short = Periods.parse(SPANS | {"test": ["2025-11-01", "2025-11-01T12:00"]})
    with pytest.raises(ConfigError, match="shorter than one horizon of 24h"):
        short.check_horizon(DAY)
    short.check_horizon(3600)
    assert prompt_range(Period(start=0, end=DAY), DAY) == (0, 0)
    with pytest.raises(ValueError, match="-1"):
        prompt_range(Period(start=0, end=DAY), -1)
