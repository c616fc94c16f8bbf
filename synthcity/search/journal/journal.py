"""The journal of a run: the one truth from which everything else is derived.

``journal.jsonl`` in the run folder holds one event a line, appended and fsynced before anything acts on it. One search
at a time has it open; the system lets go of it with the process.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from synthcity.errors import DataError, RunError
from synthcity.lines import LineWriter, read_all
from synthcity.search.journal.check import check_read
from synthcity.search.journal.events import VERSION, Event
from synthcity.search.journal.history import Fold

JOURNAL = "journal.jsonl"


class Journal(LineWriter):
    """The events of one run folder, held exclusively while open."""

    def __init__(self, folder: Path) -> None:
        """Open or create the journal in ``folder``; ``events`` and ``fold`` then hold what was written before.

        Raises:
            RunError: the folder cannot be written, is in use by another search, or the journal is damaged.
        """
        super().__init__(folder / JOURNAL, exclusive=True)
        try:
            self.events, self.fold = _read(self.path)
        except RunError:
            self.close()
            raise


def read_events(path: Path) -> list[Event]:
    """Read a journal and make sure that it tells a story that can have happened.

    Raises:
        RunError: it cannot be read, or a line of it is damaged, tells of nothing known or contradicts those before it.
    """
    return _read(path)[0]


def _read(path: Path) -> tuple[list[Event], Fold]:
    with _without_collector():
        return _added_up(path)


@contextmanager
def _without_collector() -> Iterator[None]:
    """Keep Python from looking for cycles among a million new values that have none, which takes as long as reading."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _added_up(path: Path) -> tuple[list[Event], Fold]:
    events: list[Event] = []
    fold = Fold()
    for number, line in enumerate(read_all(path), start=1):
        try:
            event = check_read(line)
            _check_order(event, fold.num_trials)
            fold.take(event)
        except DataError as error:
            raise RunError(
                f"{path} tells nonsense at line {number}: {error}; repair it or start a new run under another name"
            ) from error
        events.append(event)
    return events, fold


def _check_order(event: Event, num_trials: int) -> None:
    if event["kind"] == "candidate" and event["index"] != num_trials:
        raise DataError(f"candidate number {event['index']} comes after {num_trials}, so a line is missing")
    if event["kind"] == "run_started" or event["kind"] == "run_resumed":
        version = event.get("version", 1)
        if version > VERSION:
            raise DataError(f"version {version} is newer than {VERSION}, which this synthcity writes")
