"""What a user sees while a search runs: a live table on a terminal or in a notebook, plain lines anywhere else."""

from __future__ import annotations

import contextlib
import threading
import time
from types import TracebackType
from typing import Protocol

from rich.console import Console, RenderableType
from rich.live import Live

from synthcity.search.journal.events import Event
from synthcity.search.journal.history import TrialHistory
from synthcity.search.journal.progress import Progress
from synthcity.search.journal.recorder import Display
from synthcity.search.screen.frame import Count, frame
from synthcity.search.screen.notebook import Cell, in_notebook
from synthcity.search.screen.plain import PlainDisplay

DASHBOARD = "dashboard"  # the stage that tells where Ray's is


class Canvas(Protocol):
    """Where a picture is kept up to date from ``start`` to ``stop``."""

    def start(self) -> None:
        """Begin to show."""

    def stop(self) -> None:
        """Show the last state once more, and leave it there."""


def open_display(console: Console | None = None, *, plain: bool = False) -> LiveDisplay | PlainDisplay:
    """Return the live table if ``console`` (default: stdout) is a terminal, and plain lines else or if ``plain``."""
    console = console or Console()
    return LiveDisplay(console) if console.is_terminal and not plain else PlainDisplay(console)


def shown(display: Display | None) -> contextlib.AbstractContextManager[Display | None]:
    """Return ``display``, or, without one, what a call from Python shows.

    That is the live table in a notebook and on a terminal, and nothing elsewhere.
    """
    console = Console(stderr=True)
    if display is None and (in_notebook() or console.is_terminal):
        return LiveDisplay(console)
    return contextlib.nullcontext(display)


class LiveDisplay:
    """A table of trials under a line of figures, redrawn four times a second by a thread of its own.

    The thread matters: the loop that feeds the events may stand still for seconds while the clock must not.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._history, self._arrived = TrialHistory(), time.monotonic()
        self._count: tuple[int, int] | None = None
        self._counting = 0.0  # since when
        self._lock = threading.Lock()
        self._canvas: Canvas = (
            Cell(self.render)
            if in_notebook()
            else Live(console=console, get_renderable=self.render, refresh_per_second=4, transient=False, screen=False)
        )

    def __enter__(self) -> LiveDisplay:
        self._canvas.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._canvas.stop()

    def begin(self, history: TrialHistory) -> None:
        """Show what a resumed run had done."""
        with self._lock:
            self._history, self._arrived = history, time.monotonic()

    def update(self, event: Event, history: TrialHistory) -> None:
        """Show what has become of the run."""
        self.begin(history)
        if event["kind"] == "stage":
            with self._lock:
                self._count = None
            if event["name"] == DASHBOARD:
                self._console.print(event["message"], markup=False, highlight=False)  # above the table, to stay

    def count(self, done: int, of: int) -> None:
        """Show how far the stage is."""
        with self._lock:
            if self._count is None:
                self._counting = time.monotonic()
            self._count = (done, of)

    def render(self) -> RenderableType:
        """Return the picture of this moment."""
        with self._lock:
            now = time.monotonic()
            progress, since = Progress(self._history), now - self._arrived
            told = self._count
            count = None if told is None else Count(done=told[0], of=told[1], seconds=now - self._counting)
        return frame(progress, since, self._console.size.height, count)
