"""What a journal tells: its events in order, and the history that they add up to."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable
from typing import TypeVar, cast, get_args

from synthcity.search.journal.check import kind_of
from synthcity.search.journal.events import Event, OfFinals, SearchFinished
from synthcity.search.journal.history import Fold, TrialHistory

E = TypeVar("E")
_HELD_AGAIN = {kind_of(cls): {"run_extended", "contenders"} for cls in get_args(OfFinals)}
_HELD_AGAIN[kind_of(SearchFinished)] = {"run_extended"}


class Reading:
    """Events and their history; safe to ask from several threads."""

    def __init__(self, events: Iterable[Event], fold: Fold | None = None) -> None:
        """Args: ``fold`` has taken the same events; None adds them up."""
        self._lock = threading.RLock()
        self.events: list[Event] = []
        self._of_kind: dict[str, list[int]] = defaultdict(list)  # where in ``events`` those of a kind are
        for event in events:
            self._list(event)
        self._fold = fold or Fold.of(self.events)

    @property
    def history(self) -> TrialHistory:
        """What all events so far add up to."""
        with self._lock:
            return self._fold.history

    def last(self, cls: type[E]) -> E | None:
        """Return the latest event that ``cls`` describes, or None; one of finals that are held again is none."""
        found = self.all(cls)
        return found[-1] if found else None

    def all(self, cls: type[E]) -> list[E]:
        """Return all events that ``cls`` describes in order, those of finals since they were last held."""
        kind = kind_of(cls)
        with self._lock:
            again = [self._of_kind[name][-1] for name in _HELD_AGAIN.get(kind, ()) if self._of_kind[name]]
            begin = max(again, default=0)
            return [cast(E, self.events[at]) for at in self._of_kind[kind] if at >= begin]

    def _take(self, event: Event) -> None:
        self._list(event)
        self._fold.take(event)

    def _list(self, event: Event) -> None:
        self._of_kind[event["kind"]].append(len(self.events))
        self.events.append(event)
