"""Processes that are found again by a mark in their environment, and ended to the last one.

Ray starts processes that start others and lets go of them; what they all keep is the environment they began with.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

MARK = "SYNTHCITY_CLUSTER"
"""Environment variable of every process of a cluster on this machine; its value is the cluster's folder."""
_PAUSE = 0.1


@dataclass(frozen=True)
class Process:
    """A process for good: its id, and when it began, in the system's ticks, since ids are given again."""

    pid: int
    began: int

    @classmethod
    def of(cls, pid: int) -> Process | None:
        """Return the process that has an id now; None where none has, or it only waits to be noticed as ended."""
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return None
        state, threads, began = fields[0], int(fields[17]), int(fields[19])
        # one whose first thread has ended keeps its ports until the others have
        return None if state in "ZX" and threads < 2 else cls(pid, began)

    @property
    def is_alive(self) -> bool:
        """Whether it still runs."""
        return Process.of(self.pid) == self


def marked(name: str, value: str) -> list[Process]:
    """Return this user's processes, but for this one, that began with a variable of this value."""
    mark, found = os.fsencode(f"{name}={value}"), []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            is_ours = entry.stat().st_uid == os.getuid() and mark in (entry / "environ").read_bytes().split(b"\0")
            process = Process.of(int(entry.name)) if is_ours else None
            if process is not None and process.pid != os.getpid():
                found.append(process)
    return found


def end(find: Callable[[], Iterable[Process]], *, first: Process | None = None, patience: float = 10.0) -> None:
    """End processes until ``find`` finds none.

    Args:
        find: names those that are to go; asked again, since they may start others meanwhile.
        first: is asked to end in order, and its children with it, and has ``patience`` seconds for it.
        patience: see ``first``.
    """
    if first is not None and first.is_alive:
        _send(first, signal.SIGTERM)
        _wait(first, patience)
    while processes := list(find()):
        for process in processes:
            _send(process, signal.SIGKILL)
        for process in processes:
            _wait(process, 5.0)
        time.sleep(_PAUSE)  # one that nobody waits for stays in the list for a moment


def _send(process: Process, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        handle = os.pidfd_open(process.pid)  # from here on the id cannot mean another process
        try:
            if process.is_alive:
                signal.pidfd_send_signal(handle, number)
        finally:
            os.close(handle)


def _wait(process: Process, seconds: float) -> None:
    with contextlib.suppress(ProcessLookupError):
        handle = os.pidfd_open(process.pid)
        try:
            if process.is_alive:
                select.select([handle], [], [], seconds)
        finally:
            os.close(handle)
