from __future__ import annotations

from datetime import date

import pytest

from synthcity.errors import ConfigError
from synthcity.market.times import (
    format_duration,
    format_resolution,
    format_time,
    parse_resolution,
    parse_time,
)
from tests.market.factories import START


@pytest.mark.parametrize(
    "value",
    ["2025-01-01", "2025-01-01T00:00", "2025-01-01 02:00:00+02:00", date(2025, 1, 1), START],
)
def test_parse_time(value):
    assert parse_time(value) == START


@pytest.mark.parametrize("value", ["yesterday", "2025-13-01", "2025-01-01T00:00:00.5", True])
def test_no_time(value):
    with pytest.raises(ConfigError, match=str(value)):
        parse_time(value)


def test_format_time():
    assert format_time(START) == "2025-01-01 00:00"
    assert format_time(START + 61) == "2025-01-01 00:01:01"


@pytest.mark.parametrize(("text", "seconds"), [("1m", 60), ("5m", 300), ("1h", 3600), ("10s", 10)])
def test_resolution_there_and_back(text, seconds):
    assert parse_resolution(text) == seconds
    assert format_resolution(seconds) == text


@pytest.mark.parametrize("text", ["", "5", "0m", "7m", "1d", "m5"])
def test_no_resolution(text):
    with pytest.raises(ConfigError, match="no resolution"):
        parse_resolution(text)


def test_format_duration():
    assert format_duration(65 * 3600 + 30 * 60 + 5) == "65h 30m"
    assert format_duration(300) == "5m"
    assert format_duration(0) == "0s"


@pytest.mark.parametrize("value", [20251101, 2025, 1_735_689_600_000, 10**20, "9999-01-01", "1812-01-01", "2025-02-30"])
def test_a_time_far_away_is_another_thing(value):
    with pytest.raises(ConfigError, match=str(value)):
        parse_time(value)
