from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from synthcity.errors import ConfigError
from synthcity.market.calendar.events.event import BY_RULE, Certainty, Kind
from synthcity.market.calendar.events.table import MOST_ROWS, read_events, write_events
from synthcity.market.times import parse_time
from tests.market.calendar.events.factories import event, rows

CPI = "2026-12-10T13:30Z,cpi,Consumer prices,,official,2025-09-01,BLS"
NIGHT = parse_time("2026-12-10T21:05")


def test_a_row_tells_all_of_an_event():
    (found,) = read_events(rows("2026-12-10T16:05-05:00,earnings,Earnings,NVDAX,official,2026-11-20,the company"), "it")
    assert found == event(
        NIGHT,
        Kind.EARNINGS,
        name="Earnings",
        asset="NVDAX",
        known_from=parse_time("2026-11-20"),
        source="the company",
    )


def test_columns_may_stand_in_any_order_and_be_left_out():
    (found,) = read_events("source,kind,certainty,name,time_utc\nBLS,cpi,official,CPI,2026-12-10 13:30\n", "it")
    assert (found.time, found.known_from, found.asset) == (parse_time("2026-12-10T13:30"), parse_time("2026-01-01"), "")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "the column time_utc is missing"),
        (rows(), "it holds no event"),
        ("kind,name\n", "the column time_utc is missing"),
        (
            rows(CPI).replace("known_from", "known_form"),
            "line 1: unknown column 'known_form'; did you mean 'known_from'",
        ),
        (rows(CPI).replace("asset", "name"), "line 1: a column stands twice"),
        (rows(CPI, CPI), "line 3: the same cpi stands in line 2 already"),
        (rows(CPI.replace("cpi", "cp1")), "line 2: unknown kind 'cp1'; did you mean 'cpi'?"),
        (rows(CPI.replace("official", "sure")), "line 2: unknown certainty 'sure'; valid: checked, official"),
        (rows(CPI.replace("official", "rule")), "cpi rule: what a rule dates is known already"),
        (rows(CPI.replace("cpi", "claims")), "claims official: what a rule dates is known already"),
        (rows(CPI.replace("13:30Z", "13:30:30Z")), "time_utc must be a whole minute"),
        (rows(CPI.replace("2026-12-10T13:30Z", "10/12/2026")), "'10/12/2026' is no time"),
        (rows(CPI.replace("2026-12-10T13:30Z", "9999-12-10T13:30Z")), "far away"),
        (rows(CPI.replace("2025-09-01", "2026-12-11")), "known_from '2026-12-11' lies after the event"),
        (rows(CPI.replace("Consumer prices", "\x1b[2J")), "name must be 1 to 60 printable characters"),
        (rows(CPI.replace("Consumer prices", "x" * 61)), "name must be 1 to 60 printable characters"),
        (rows(CPI.replace("BLS", "")), "source must be 1 to 200"),
        (rows(CPI.replace(",,", ",../etc,")), "asset must be a name such as NVDAX"),
        (rows(CPI.replace("cpi", "earnings")), "earnings are those of an asset"),
        (rows(CPI + ",more"), "it has more fields than the first line"),
        (rows("2026-12-10T13:30Z,cpi"), "it has fewer fields than the first line"),
        (rows('2026-12-10T13:30Z,cpi,"open'), "unexpected end of data"),
        (rows(CPI.replace("BLS", "x" * 200_000)), "field larger than field limit"),
        (rows(CPI.replace("BLS", "\0")), "printable"),
    ],
)
def test_what_is_wrong_is_told_in_one_sentence(text: str, sentence: str):
    with pytest.raises(ConfigError) as raised:
        read_events(text, "it")
    assert sentence in str(raised.value)
    assert str(raised.value).isprintable()
    assert len(str(raised.value)) < 400


def test_a_calendar_of_a_million_rows_is_refused_before_it_is_read():
    minutes = (
        f"20{26 + k // 500_000}-{1 + k % 12:02}-{1 + k % 28:02}T{k % 24:02}:{k // 28 % 60:02}Z" for k in range(10**6)
    )
    text = rows(
        *(f"{time},earnings,E,A{k},official,,s" for k, time in zip(range(MOST_ROWS + 1), minutes, strict=False))
    )
    with pytest.raises(ConfigError, match=r"more than 20,000 rows"):
        read_events(text, "it")


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.builds(
            event,
            st.integers(min_value=2 * 10**7, max_value=6 * 10**7).map(lambda minute: 60 * minute),
            st.sampled_from(sorted(set(Kind) - BY_RULE - {Kind.EARNINGS})),
            name=st.text(st.characters(categories=["L", "P"]), min_size=1, max_size=60),
            certainty=st.sampled_from(sorted(set(Certainty) - {Certainty.RULE})),
        ),
        min_size=1,
        unique_by=lambda event: (event.time, event.kind),
    )
)
def test_what_is_written_is_read_again(events: list):
    assert read_events(write_events(events), "it") == tuple(sorted(events, key=lambda e: (e.time, e.kind, e.asset)))
