"""``pipeline.jsonl``: one event a line, on the disk before anything acts on it, and one process a folder."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from synthcity.errors import RunError
from synthcity.lines import LineWriter, read_all
from synthcity.pipeline.events import Event, Told, read_event, write_event
from synthcity.pipeline.state import State

JOURNAL = "pipeline.jsonl"


class Journal(LineWriter):
    """The events of one pipeline, held exclusively while open; ``state`` is what they come to."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        """Open or create the journal in ``folder``.

        Raises:
            RunError: the folder cannot be written, another pipeline has it, or the journal is damaged.
        """
        super().__init__(folder / JOURNAL, exclusive=True)
        self._clock = clock
        try:
            self.state = read_state(folder)
        except RunError:
            self.close()
            raise

    def tell(self, event: Event) -> State:
        """Write an event down and return the state after it.

        Raises:
            RunError: the disk refuses; nothing happened then.
        """
        now = self._clock()
        self.append(write_event(event, now))
        self.state = self.state.after(Told(event=event, time=now))
        return self.state


def read_told(folder: Path) -> list[Told]:
    """Return the events of a pipeline, which may be running; none where there is none.

    Raises:
        RunError: the journal cannot be read, or is damaged.
    """
    path, told = folder / JOURNAL, []
    if not path.exists():
        return []
    for number, line in enumerate(read_all(path), start=1):
        try:
            told.append(read_event(line))
        except RunError as error:
            raise RunError(f"{path} tells nonsense at line {number}: {error}; put back a copy of it") from error
    return told


def read_state(folder: Path) -> State:
    """Return what the events of a pipeline come to. Raises as ``read_told``."""
    return State.of(read_told(folder))
