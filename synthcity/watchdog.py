"""Notices within a moment that a process is gone which this one cannot do without.

Ray's core ends the whole process seconds or a minute after it lost its raylet or its GCS, from C++, after pages of log.
The watchdog comes before it: the loss is told where it has to be written down and the main thread is interrupted. If
that does not end everything in time, or Ray's core does before, a child of ours that waits for it says the sentence.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

_PATIENCE_SECONDS = 10.0
_LAST_WORDS = 'read -r answer || printf "%s\n" "$0" >&2'  # said when our end of the pipe closes without a line
_PROGRAM_WORDS = 3  # as in "python -u script.py"


def children(names: tuple[str, ...], of: int | None = None) -> dict[int, str]:
    """Return by process id the children of a process (None: of this one) whose program or script has such a name."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            words = os.fsdecode((entry / "cmdline").read_bytes()).split("\0")[:_PROGRAM_WORDS]
            called = [name for word in words if (name := Path(word.strip()).name) in names]
            if parent == (of or os.getpid()) and called:
                found[int(entry.name)] = called[0]
    return found


class Watchdog:
    """Watches processes until it is closed. ``lost`` is the sentence once one of them has ended, before that None."""

    def __init__(self, processes: Mapping[int, str], tell: Callable[[str], None]) -> None:
        """Args: ``tell`` gets the sentence on a thread of its own, before anything else is done."""
        self.lost: str | None = None
        self._tell = tell
        self._names = {os.pidfd_open(pid): name for pid, name in processes.items()}
        self._closed, self._close = os.pipe()
        self._thread = threading.Thread(target=self._watch, name="synthcity-watchdog", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Watch no more: the processes are about to be ended, or after a loss, all that needed them has ended."""
        if self._names:
            os.close(self._close)
            self._thread.join()
            for handle in (*self._names, self._closed):
                os.close(handle)
            self._names = {}

    def _watch(self) -> None:
        poll = select.poll()
        for handle in (*self._names, self._closed):
            poll.register(handle, select.POLLIN)
        ready = [handle for handle, _ in poll.poll()]
        if self._closed in ready:
            return
        self.lost = f"Ray was lost: its {self._names[ready[0]]} has ended; continue with --resume"
        with _hushed() as stderr:
            # first of all, since Ray's core may end this process at any moment from now on
            words = ["sh", "-c", _LAST_WORDS, self.lost]
            speaker = subprocess.Popen(words, stdin=subprocess.PIPE, stderr=stderr, start_new_session=True)
            with contextlib.suppress(Exception):  # a full disk must not keep the sentence from being told
                self._tell(self.lost)
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
            if not select.select([self._closed], [], [], _PATIENCE_SECONDS)[0]:
                speaker.communicate()  # says it before we are gone
                os._exit(1)
            speaker.communicate(b"\n")  # the main thread says it


@contextlib.contextmanager
def _hushed() -> Iterator[int]:
    """Keep all accounts of the loss but ours from the terminal; yield where standard error is now."""
    stdout, stderr, streams = os.dup(1), os.dup(2), (sys.stdout, sys.stderr)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)  # Ray's core writes there
        sys.stdout = sys.stderr = nowhere
        try:
            yield stderr
        finally:
            sys.stdout, sys.stderr = streams
            os.dup2(stdout, 1)
            os.dup2(stderr, 2)
            os.close(stdout)
            os.close(stderr)
