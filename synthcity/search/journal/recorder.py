"""One stream of events: first to the disk, then to the history, then to the screen."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any, Protocol

from synthcity.lines import Event
from synthcity.search.journal.history import History
from synthcity.search.journal.journal import Journal


class Display(Protocol):
    """Shows a search to a person; it sees the same events as the journal, earlier ones on resume too."""

    def update(self, event: Mapping[str, Any]) -> None:
        """Take one event; called from several threads, one at a time, and must return at once."""


class Recorder:
    """Writes events and holds the history they add up to; safe to use from several threads."""

    def __init__(self, journal: Journal, display: Display | None = None) -> None:
        self._journal = journal
        self._display = display
        self._lock = threading.RLock()
        self.events: list[Event] = list(journal.events)
        self.history = History.replay(self.events)
        self.failure: BaseException | None = None
        for event in self.events:
            if display is not None:
                display.update(event)

    def emit(self, kind: str, /, **fields: Any) -> None:
        """Record that something happened now.

        Raises:
            RunError: the journal cannot be written; the first such error also stays in ``failure``.
        """
        with self._lock:
            event = {"kind": kind, "time": round(time.time(), 3), **fields}
            try:
                self._journal.append(event)
            except BaseException as error:
                self.failure = self.failure or error
                raise
            self.events.append(event)
            self.history = self.history.after(event)
            if self._display is not None:
                self._display.update(event)

    def last(self, kind: str) -> Event | None:
        """Return the latest event of ``kind``, or None."""
        with self._lock:
            return next((event for event in reversed(self.events) if event["kind"] == kind), None)

    def all(self, kind: str) -> list[Event]:
        """Return all events of ``kind`` in order."""
        with self._lock:
            return [event for event in self.events if event["kind"] == kind]
