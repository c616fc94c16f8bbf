"""Rules against days that were published or printed on every wall."""

from __future__ import annotations

import pytest

from synthcity.durations import DAY
from synthcity.market.calendar.events.event import Certainty, Kind
from synthcity.market.calendar.events.rules import ruled
from synthcity.market.times import format_time, parse_time


def dated(kind: Kind, start: str, end: str) -> list[str]:
    return [format_time(e.time) for e in ruled(parse_time(start), parse_time(end)) if e.kind is kind]


@pytest.mark.parametrize(
    ("kind", "start", "end", "times"),
    [
        (Kind.CLAIMS, "2025-03-01", "2025-03-15", ["2025-03-06 13:30", "2025-03-13 12:30"]),  # clocks change between
        (Kind.CLAIMS, "2025-11-24", "2025-11-29", ["2025-11-26 13:30"]),  # Thanksgiving
        (Kind.CLAIMS, "2025-06-16", "2025-06-21", ["2025-06-18 12:30"]),  # Juneteenth
        (Kind.CLAIMS, "2021-11-08", "2021-11-13", ["2021-11-10 13:30"]),  # Veterans Day, on which NYSE trades
        (Kind.CLAIMS, "2025-12-29", "2026-01-03", ["2025-12-31 13:30"]),  # the holiday lies in the next year
        (Kind.EQUITY_EXPIRY, "2025-09-01", "2025-10-01", ["2025-09-19 20:00"]),
        (Kind.EQUITY_EXPIRY, "2025-04-01", "2025-05-01", ["2025-04-17 20:00"]),  # Good Friday
        (Kind.ROLL, "2025-07-01", "2026-01-01", ["2025-09-15 13:30", "2025-12-15 14:30"]),
        (Kind.CRYPTO_EXPIRY, "2025-08-01", "2025-11-01", ["2025-08-29 08:00", "2025-09-26 08:00", "2025-10-31 08:00"]),
        (Kind.CRYPTO_EXPIRY, "2025-12-01", "2026-01-01", ["2025-12-26 08:00"]),
        (Kind.HOLIDAY, "2025-11-01", "2026-01-01", ["2025-11-27 14:30", "2025-12-25 14:30"]),
        (Kind.HALF_DAY, "2025-07-01", "2026-01-01", ["2025-07-03 17:00", "2025-11-28 18:00", "2025-12-24 18:00"]),
    ],
)
def test_a_rule_dates(kind: Kind, start: str, end: str, times: list[str]):
    assert dated(kind, start, end) == times


def test_spans_join_without_loss_and_in_order():
    start, days = parse_time("2024-12-01"), 70
    whole = ruled(start, start + days * DAY)
    parts = [event for day in range(days) for event in ruled(start + day * DAY, start + (day + 1) * DAY)]
    assert parts == whole
    assert [event.time for event in whole] == sorted(event.time for event in whole)
    assert {event.certainty for event in whole} == {Certainty.RULE}


def test_the_quarter_is_named():
    names = {e.kind: e.name for e in ruled(parse_time("2025-09-01"), parse_time("2025-10-01"))}
    assert names[Kind.EQUITY_EXPIRY] == names[Kind.CRYPTO_EXPIRY] == "Quarterly expiry"
