"""One stream of events: first to the disk, then to the history, then to the screen."""

from __future__ import annotations

import time
from typing import Protocol, runtime_checkable

from synthcity.errors import DataError
from synthcity.search.journal.check import check
from synthcity.search.journal.events import Event
from synthcity.search.journal.history import TrialHistory
from synthcity.search.journal.journal import Journal
from synthcity.search.journal.reading import Reading


class Display(Protocol):
    """Shows a search to a person: what a resumed run had done, then every event that is written."""

    def begin(self, history: TrialHistory) -> None:
        """Take what the journal told when it was opened."""

    def update(self, event: Event, history: TrialHistory) -> None:
        """Take one event and the history that includes it.

        Called from several threads, one at a time, and must return at once.
        """


@runtime_checkable
class Counting(Protocol):
    """A display that shows how far a stage is, too."""

    def count(self, done: int, of: int) -> None:
        """Take how much of the stage is done; called from any thread, and must return at once."""


class Recorder(Reading):
    """Writes events and holds the history they add up to; safe to use from several threads."""

    def __init__(self, journal: Journal, *displays: Display) -> None:
        self._journal = journal
        self._displays = displays
        self._begin = time.monotonic()
        self.failure: BaseException | None = None
        super().__init__(journal.events, journal.fold)
        for display in displays:
            display.begin(self.history)
        self._session = self.history.sessions[-1].number + 1 if self.history.sessions else 1
        self._used_before = self.history.used_seconds

    def emit(self, kind: str, /, **fields: object) -> None:
        """Record that something happened now.

        Raises:
            RunError: the journal cannot be written; the first such error also stays in ``failure``.
            ValueError: there is no event of this kind with these fields.
        """
        with self._lock:
            clock = time.monotonic() - self._begin
            told = {"kind": kind, "time": round(time.time(), 3), "session": self._session, "clock": round(clock, 3)}
            try:
                event = check({**told, **fields})
            except DataError as error:
                raise ValueError(f"no such event: {error}") from error
            try:
                self._journal.append(event)
            except BaseException as error:
                self.failure = self.failure or error
                raise
            self._take(event)
            for display in self._displays:
                display.update(event, self.history)

    def count(self, done: int, of: int) -> None:
        """Show how far the stage is; nothing of that is kept."""
        for display in self._displays:
            if isinstance(display, Counting):
                display.count(done, of)

    def used_seconds(self) -> float:
        """Time that all sessions have taken, this one up to now, pauses between them left out."""
        return self._used_before + time.monotonic() - self._begin
