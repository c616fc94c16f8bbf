"""All that is known to come: the packaged dates, an operator's own, and what rules date."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources

from synthcity.market.calendar.events.event import CHIEF, Event, Kind
from synthcity.market.calendar.events.rules import ruled
from synthcity.market.calendar.events.table import read_events

_PACKAGED = "events.csv"


@dataclass(frozen=True)
class Calendar:
    """Events that a file dates, ``dated``, sorted by time, and those that rules date.

    Example:
        >>> from synthcity.market.calendar.events.calendar import packaged
        >>> [event.name for event in packaged().between(1_757_548_800, 1_757_635_200)]
        ['Consumer prices', 'Jobless claims']
    """

    dated: tuple[Event, ...]
    has_rules: bool = True

    def between(self, start: int, end: int) -> tuple[Event, ...]:
        """All events in ``[start, end)`` (unix seconds), sorted by time."""
        found = [event for event in self.dated if start <= event.time < end]
        return tuple(sorted([*found, *(ruled(start, end) if self.has_rules else ())], key=lambda event: event.time))

    @property
    def end(self) -> int:
        """Up to when each of the ``CHIEF`` kinds is dated for sure, unix seconds; 0 where one is not at all.

        Dates of meetings are published for years, so the last event of any kind would hide that releases ran out.
        """
        sure = [event for event in self.dated if event.is_sure]
        return min(max((event.time for event in sure if event.kind is kind), default=0) for kind in CHIEF)

    def extended(self, events: Iterable[Event]) -> Calendar:
        """Return this calendar with ``events`` in it.

        From its first to its last event, a newer list of a kind (of an asset, for earnings) takes the place of what
        was known of that kind: a date that moved is not kept twice.
        """
        newer = tuple(events)
        spans: dict[tuple[Kind, str], list[int]] = {}
        for event in newer:
            spans.setdefault((event.kind, event.asset), []).append(event.time)
        kept = [
            event
            for event in self.dated
            if (times := spans.get((event.kind, event.asset))) is None or not min(times) <= event.time <= max(times)
        ]
        return Calendar(tuple(sorted([*kept, *newer], key=lambda event: event.time)), self.has_rules)


NOTHING = Calendar((), has_rules=False)
"""Of a market in which nothing is known to come."""


@cache
def packaged() -> Calendar:
    """The calendar that comes with this version."""
    text = resources.files(__package__).joinpath(_PACKAGED).read_text(encoding="utf-8")
    return Calendar(read_events(text, f"the packaged {_PACKAGED}"))
