from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthcity.durations import DAY, HOUR, LONGEST, MINUTE, WEEK, parse_duration, write_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("20m", 20 * MINUTE),
        ("97min", 97 * MINUTE),
        ("11h", 11 * HOUR),
        ("2d", 2 * DAY),
        ("1w", WEEK),
        ("1h30m", 90 * MINUTE),
        ("1h 30min", 90 * MINUTE),
        (" 1w 2d 3h 4m 5s ", WEEK + 2 * DAY + 3 * HOUR + 4 * MINUTE + 5),
        ("1.5h", 90 * MINUTE),
        ("0h30m", 30 * MINUTE),
        ("0.1s", 0.1),
    ],
)
def test_reads_what_people_write(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


NONSENSE = [" ", "h", "-3h", "0s", "0h0m", "3 weeks", "30m1h", "1h1h", "11H", "1e3s", ".5h", "nan", "inf", "1h30", "٣h"]


@pytest.mark.parametrize("value", [*NONSENSE, "", True, None, -1, float("nan"), float("inf")])
def test_refuses_what_is_none(value: object) -> None:
    with pytest.raises(ValueError, match="a positive duration such as 90s, 97min, 11h, 2d, 1w or 1h30m"):
        parse_duration(value)


@pytest.mark.parametrize(("value", "number"), [(4, "4"), ("4", "4"), (0.5, "0.5"), (" 90 ", "90"), (3600.0, "3600")])
def test_a_bare_number_is_asked_of_what(value: object, number: str) -> None:
    with pytest.raises(ValueError, match=f"with its unit, such as {number}s, {number}min or {number}h"):
        parse_duration(value)


@pytest.mark.parametrize("text", ["5300w", "9" * 30 + "s"])
def test_a_century_is_too_long(text: str) -> None:
    with pytest.raises(ValueError, match="100 years at most"):
        parse_duration(text)
    with pytest.raises(ValueError, match="a positive duration"):
        parse_duration("9" * 400 + "h")


@given(st.one_of(st.integers(1, LONGEST), st.floats(1e-9, LONGEST)))
def test_what_is_written_is_read_again(seconds: float) -> None:
    assert parse_duration(write_duration(seconds)) == seconds


def test_writes_the_short_way() -> None:
    written = [write_duration(seconds) for seconds in (39600.0, 5400, 90, 0.5, WEEK, DAY + 1)]
    assert written == ["11h", "1h30m", "1m30s", "0.5s", "7d", "1d1s"]


def test_a_day_is_spelt_once() -> None:
    package = Path(__file__).parents[1] / "synthcity"
    spelt = {path.name for path in package.rglob("*.py") if re.search(r"\b86_?400\b", path.read_text(encoding="utf-8"))}
    assert spelt == set()
