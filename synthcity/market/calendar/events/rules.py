"""Events that need no list, because a published rule dates them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import cache
from zoneinfo import ZoneInfo

from synthcity.market.calendar.events.event import Certainty, Event, Kind
from synthcity.market.calendar.holidays import early_closes, holidays

_NEW_YORK = ZoneInfo("America/New_York")
_WEDNESDAY, _THURSDAY, _FRIDAY = 2, 3, 4
_QUARTERLY = (3, 6, 9, 12)
_ALWAYS = 0  # a rule is known before anything that we forecast


def ruled(start: int, end: int) -> list[Event]:
    """Events that follow from rules and happen in ``[start, end)`` (unix seconds), sorted by time."""
    years = range(datetime.fromtimestamp(start, UTC).year, datetime.fromtimestamp(end, UTC).year + 1)
    return [event for year in years for event in _of_year(year) if start <= event.time < end]


@cache
def _of_year(year: int) -> tuple[Event, ...]:
    rules: tuple[Callable[[int], Iterator[Event]], ...] = (
        _claims,
        _equity_expiries,
        _rolls,
        _crypto_expiries,
        _closures,
    )
    return tuple(sorted((event for rule in rules for event in rule(year)), key=lambda event: event.time))


def _claims(year: int) -> Iterator[Event]:
    """Weekly jobless claims: Thursdays at 08:30 New York, Wednesdays where a federal holiday falls on the Thursday.

    Source: the Department of Labor's Unemployment Insurance Weekly Claims News Release. A shutdown of the government
    is no rule: the releases that it costs are dated here all the same.
    """
    for day in _days(year):
        is_moved = day.weekday() == _WEDNESDAY and _is_federal_holiday(day + timedelta(days=1))
        if is_moved or (day.weekday() == _THURSDAY and not _is_federal_holiday(day)):
            yield _event(day, "08:30", Kind.CLAIMS, "Jobless claims", "Department of Labor: Thursdays 08:30")


def _equity_expiries(year: int) -> Iterator[Event]:
    """Monthly options on US equities: at the close of the third Friday, the day before where NYSE rests.

    Source: the expiration calendar of the Options Clearing Corporation; in March, June, September and December
    options and futures on indices expire the same day.
    """
    for month in range(1, 13):
        name = "Quarterly expiry" if month in _QUARTERLY else "Monthly expiry"
        day = _third_friday(year, month)
        day -= timedelta(days=day in holidays(day.year))
        yield _event(day, "16:00", Kind.EQUITY_EXPIRY, name, "OCC: third Fridays at the close")


def _rolls(year: int) -> Iterator[Event]:
    """Equity index futures roll on the Monday before the third Friday of March, June, September and December.

    Source: the Equity Index Roll Dates of CME Group.
    """
    for month in _QUARTERLY:
        day = _third_friday(year, month) - timedelta(days=4)
        yield _event(day, "09:30", Kind.ROLL, "Index futures roll", "CME: Monday before the third Friday")


def _crypto_expiries(year: int) -> Iterator[Event]:
    """Monthly options and futures on BTC and ETH: the last Friday of a month at 08:00 UTC.

    Source: the contract specifications of Deribit, where most of them trade.
    """
    for month in range(1, 13):
        last = date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
        day = last - timedelta(days=(last.weekday() - _FRIDAY) % 7)
        name = "Quarterly expiry" if month in _QUARTERLY else "Monthly expiry"
        source = "Deribit: last Fridays at 08:00 UTC"
        yield _event(day, "08:00", Kind.CRYPTO_EXPIRY, name, source, zone=UTC)


def _closures(year: int) -> Iterator[Event]:
    """Holidays and early closes of US exchanges. Source: NYSE Rule 7.2, see ``holidays``."""
    for day in holidays(year):
        yield _event(day, "09:30", Kind.HOLIDAY, "US exchanges shut", "NYSE Rule 7.2")
    for day in early_closes(year):
        yield _event(day, "13:00", Kind.HALF_DAY, "US exchanges half day", "NYSE Rule 7.2")


def _event(day: date, clock: str, kind: Kind, name: str, source: str, zone: tzinfo = _NEW_YORK) -> Event:
    time = datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=zone)
    return Event(
        time=int(time.timestamp()), kind=kind, name=name, certainty=Certainty.RULE, source=source, known_from=_ALWAYS
    )


def _days(year: int) -> Iterator[date]:
    first = date(year, 1, 1)
    return (first + timedelta(days=number) for number in range((date(year + 1, 1, 1) - first).days))


def _third_friday(year: int, month: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(_FRIDAY - first.weekday()) % 7 + 14)


def _is_federal_holiday(day: date) -> bool:
    """Of those that may fall on a Thursday: NYSE's, and Veterans Day, on which NYSE trades."""
    return day in holidays(day.year) or (day.month, day.day) == (11, 11)
