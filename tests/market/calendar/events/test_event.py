import pytest

from synthcity.market.calendar.events.event import Certainty, Kind, known_by_rule
from synthcity.market.times import parse_time
from tests.market.calendar.events.factories import event

RELEASE = parse_time("2025-09-11T12:30")


@pytest.mark.parametrize(
    ("kind", "known_from"),
    [
        (Kind.CPI, "2025-01-01"),
        (Kind.FOMC, "2025-01-01"),
        (Kind.EARNINGS, "2025-09-04T12:30"),
        (Kind.JACKSON_HOLE, "2025-09-04T12:30"),
    ],
)
def test_what_nobody_dated_is_known_late_rather_than_early(kind: Kind, known_from: str):
    assert known_by_rule(kind, RELEASE) == parse_time(known_from)


@pytest.mark.parametrize("certainty", Certainty)
def test_only_an_unchecked_date_is_not_counted_on(certainty: Certainty):
    assert event(RELEASE, certainty=certainty).is_sure is (certainty is not Certainty.UNCHECKED)
