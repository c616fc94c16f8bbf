"""Calendars for tests."""

from __future__ import annotations

from synthcity.market.calendar.events.event import Certainty, Event, Kind

HEADER = "time_utc,kind,name,asset,certainty,known_from,source"


def event(time: int, kind: Kind = Kind.CPI, **changes: object) -> Event:
    """An event that was known a year ahead."""
    fields = {
        "name": kind.name,
        "certainty": Certainty.OFFICIAL,
        "source": "a schedule",
        "known_from": time - 31_536_000,
    }
    return Event(time=time, kind=kind, **fields | changes)


def rows(*lines: str) -> str:
    """A calendar as text."""
    return "\n".join((HEADER, *lines, ""))
