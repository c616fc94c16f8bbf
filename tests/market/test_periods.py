from __future__ import annotations

from datetime import date

import pytest

from synthcity.errors import ConfigError
from synthcity.market.periods import Period, Periods, prompt_range, recent_periods, recent_start
from synthcity.market.times import parse_time
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


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("last 12 months", "2025-03-31"),
        ("last 1 month", "2026-02-28"),  # there is no 31st
        ("last 13 months", "2025-02-28"),
        ("last 2 years", "2024-03-31"),
        ("last 90 days", "2025-12-31"),
        ("last 2 weeks", "2026-03-17"),
    ],
)
def test_a_span_is_counted_back_by_the_calendar(text, start):
    assert recent_start(text, parse_time("2026-03-31")) == parse_time(start)


def test_a_span_is_cut_into_three_periods_of_whole_days():
    end = parse_time("2026-01-01")
    periods = recent_periods("last 12 months", end)
    assert str(periods.train) == "2025-01-01 00:00 to 2025-09-01 00:00"
    assert str(periods.validation) == "2025-09-01 00:00 to 2025-11-01 00:00"
    assert str(periods.test) == "2025-11-01 00:00 to 2026-01-01 00:00"
    assert recent_periods("last 3 days", end).train.end == end - 2 * 86400


@pytest.mark.parametrize("text", ["12 months", "last months", "last 0 days", "last year or so", "last 9000 years"])
def test_what_is_no_span_is_refused(text):
    with pytest.raises(ConfigError, match=r"write e\.g\. last 12 months"):
        recent_start(text, parse_time("2026-01-01"))
