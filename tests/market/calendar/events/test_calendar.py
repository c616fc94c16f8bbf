from __future__ import annotations

from synthcity.durations import DAY
from synthcity.market.calendar.events.calendar import NOTHING, Calendar, packaged
from synthcity.market.calendar.events.event import SCHEDULED, Certainty, Kind
from synthcity.market.times import format_time, parse_time
from tests.market.calendar.events.factories import event

START = parse_time("2026-01-01")


def test_packaged_dates_after_october_2025_are_marked_and_none_before():
    dated = packaged().dated
    border = parse_time("2025-11-01")
    assert {e.certainty for e in dated if e.time < border} == {Certainty.CHECKED}
    assert {e.certainty for e in dated if e.time >= border} == {Certainty.UNCHECKED}
    assert packaged().end == parse_time("2025-09-05T12:30")
    assert {e.kind for e in dated} >= SCHEDULED
    assert not any(e.kind is Kind.EARNINGS for e in dated), "no dated source is at hand"


def test_no_packaged_event_is_known_before_its_year_or_after_it_happened():
    for e in packaged().dated:
        assert parse_time(f"{format_time(e.time)[:4]}-01-01") <= e.known_from <= e.time


def test_a_release_that_was_moved_is_known_a_week_ahead_alone():
    (moved,) = [e for e in packaged().dated if e.time == parse_time("2025-10-24T12:30")]
    assert moved.known_from == moved.time - 7 * DAY


def test_a_span_holds_dates_and_rules_in_order():
    found = packaged().between(parse_time("2025-09-11"), parse_time("2025-09-20"))
    assert [e.kind for e in found] == [
        Kind.CPI,
        Kind.CLAIMS,
        Kind.ROLL,
        Kind.RETAIL_SALES,
        Kind.FOMC,
        Kind.PRESS_CONFERENCE,
        Kind.CLAIMS,
        Kind.EQUITY_EXPIRY,
    ]
    assert NOTHING.between(0, parse_time("2026-01-01")) == ()


def test_a_newer_list_takes_the_place_of_its_kind_from_its_first_to_its_last_event_alone():
    old = Calendar(tuple(event(START + day * DAY) for day in (1, 10, 20, 30)), has_rules=False)
    whole = old.extended([event(START + 9 * DAY), event(START + 21 * DAY), event(START + 5 * DAY, Kind.NFP)])
    days = [((e.time - START) // DAY, e.kind) for e in whole.dated]
    assert days == [(1, Kind.CPI), (5, Kind.NFP), (9, Kind.CPI), (21, Kind.CPI), (30, Kind.CPI)]


def test_earnings_of_one_asset_leave_those_of_another():
    earnings = [
        event(START + k * DAY, Kind.EARNINGS, asset=asset) for k, asset in enumerate(["NVDAX", "TSLAX", "NVDAX"])
    ]
    old = Calendar(tuple(earnings))
    newer = [event(e.time + 60, Kind.EARNINGS, asset="NVDAX") for e in (earnings[0], earnings[2])]
    assert [e.asset for e in old.extended(newer).dated] == ["NVDAX", "NVDAX", "TSLAX", "NVDAX"]


def test_a_calendar_ends_with_the_first_chief_kind_that_runs_out():
    dated = [event(START), event(START + DAY, certainty=Certainty.UNCHECKED), event(START + 2 * DAY, Kind.EARNINGS)]
    assert Calendar(tuple(dated)).end == 0, "no jobs"
    dated += [event(START + 3 * DAY, Kind.NFP), event(START + 700 * DAY, Kind.FOMC)]
    assert Calendar(tuple(dated)).end == START
    assert NOTHING.end == 0
