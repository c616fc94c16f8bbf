"""What a journal tells: its events in order, and the history that they add up to."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import TypeVar, cast, get_args

from synthcity.search.journal.check import kind_of
from synthcity.search.journal.events import Event, OfFinals, SearchFinished
from synthcity.search.journal.history import TrialHistory

E = TypeVar("E")
_HELD_AGAIN = {kind_of(cls): {"run_extended", "contenders"} for cls in get_args(OfFinals)}
_HELD_AGAIN[kind_of(SearchFinished)] = {"run_extended"}


class Reading:
    """Events and their history; safe to ask from several threads."""

    def __init__(self, events: Iterable[Event]) -> None:
        self._lock = threading.RLock()
        self.events: list[Event] = []
        self.history = TrialHistory()
        for event in events:
            self._take(event)

    def last(self, cls: type[E]) -> E | None:
        """Return the latest event that ``cls`` describes, or None; one of finals that are held again is none."""
        found = self.all(cls)
        return found[-1] if found else None

    def all(self, cls: type[E]) -> list[E]:
        """Return all events that ``cls`` describes in order, those of finals since they were last held."""
        kind = kind_of(cls)
        with self._lock:
            events = self.events
            if again := _HELD_AGAIN.get(kind):
                begins = (at for at in range(len(events) - 1, -1, -1) if events[at]["kind"] in again)
                events = events[next(begins, 0) :]
            return [cast(E, event) for event in events if event["kind"] == kind]

    def _take(self, event: Event) -> None:
        self.events.append(event)
        self.history = self.history.after(event)
