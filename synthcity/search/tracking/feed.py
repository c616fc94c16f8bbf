"""One tracker as the search sees it: records go into a queue that never makes anybody wait.

A process of its own takes them (see ``child``). One that hangs fills its pipe, then the queue; what comes after that is
dropped and counted. At the end it has ``PATIENCE_SECONDS`` since it last took something, and is then killed.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence

from synthcity.search.tracking.child import PATIENCE_SECONDS
from synthcity.search.tracking.sinks.sink import Record

MOST_WAITING = 1_000  # records
_REMEDY = "`synthcity runs track` tells it the whole run"
_CHILD = (sys.executable, "-m", "synthcity.search.tracking.child")


class Feed:
    """Tells one tracker. ``put`` may be called from any thread, ``close`` once, when nothing more comes.

    ``where`` is what the tracker says of the place where the run lies, empty before it has all of it.
    """

    def __init__(
        self,
        name: str,
        environ: Mapping[str, str],
        past: Iterable[Record] = (),
        *,
        command: Sequence[str] = _CHILD,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        """Begin; nothing is waited for.

        Args:
            name: of a module of ``sinks``.
            environ: all that its process gets to know of the environment.
            past: what is told before all that is put; it may be long, for it is asked for as the tracker takes it.
            command: what runs in the place of ``child``.
            patience: seconds without an answer after which a tracker hangs.
        """
        self.name, self.where = name, ""
        self._patience, self._past = patience, past
        self._notes: list[str] = []
        self._failure = ""
        self._waiting: deque[Record] = deque()
        self._changed = threading.Condition()
        self._num_dropped = self._num_sent = self._num_taken = 0
        self._last_sign = time.monotonic()
        self._is_closing = self._is_over = False
        self._process: subprocess.Popen[str] | None = None
        self._threads = [threading.Thread(target=self._drive, args=([*command, name], dict(environ)), daemon=True)]
        self._threads[0].start()

    def put(self, record: Record) -> None:
        """Hand over one record; it is dropped where too many wait, or the tracker has failed."""
        with self._changed:
            if self._is_over or len(self._waiting) >= MOST_WAITING:
                self._num_dropped += 1
                return
            self._note_rest()
            self._waiting.append(record)
            self._changed.notify_all()

    def close(self, seconds: float | None = None) -> list[str]:
        """Wait until all is taken, but only as long as the tracker gives signs of life.

        Args:
            seconds: to wait at most, ``None`` for as long as it goes on taking.

        Returns:
            What a person must know, a sentence each.
        """
        end = None if seconds is None else time.monotonic() + seconds
        with self._changed:
            self._note_rest()
            self._is_closing = True
            self._changed.notify_all()
            while not self._is_over:
                now = time.monotonic()
                left = self._last_sign + self._patience - now
                left = left if end is None else min(left, end - now)
                if left <= 0:
                    silent = now - self._last_sign
                    hung = f"it gave no sign for {silent:.0f} s" if silent >= self._patience else "it was too slow"
                    self._failure = f"{hung} and was ended"
                    break
                self._changed.wait(left)
            self._is_over = True
        self._kill()
        for thread in self._threads:
            thread.join()
        return self._said()

    def _drive(self, command: list[str], environ: dict[str, str]) -> None:
        """Write what comes, one line each, until there is no more or nobody to read it."""
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environ,
                encoding="utf-8",
                start_new_session=True,  # Ctrl-C is for the search, which then says how long this may take
            )
        except OSError as error:
            self._over(f"its process could not be started: {error.strerror}")
            return
        with self._changed:
            self._process = process
            if self._is_over:
                process.kill()  # it came too late
        reader = threading.Thread(target=self._listen, args=(process,), daemon=True)
        self._threads.append(reader)
        reader.start()
        assert process.stdin is not None
        with contextlib.suppress(OSError), process.stdin as pipe:  # it may end before it has read all
            for record in self._records():
                pipe.write(json.dumps(record) + "\n")
                pipe.flush()

    def _records(self) -> Iterator[Record]:
        """Yield the past, then what is put, until nothing more comes."""
        for record in self._past:
            with self._changed:
                self._count_sent()
            yield record
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._is_closing or self._is_over)
                if self._is_over or not self._waiting:
                    return
                self._count_sent()
                record = self._waiting.popleft()
            yield record

    def _note_rest(self) -> None:
        """Count no time against a tracker in which it had nothing to do."""
        if not self._waiting and self._num_sent == self._num_taken:
            self._last_sign = time.monotonic()

    def _count_sent(self) -> None:
        self._num_sent += 1
        self._changed.notify_all()

    def _listen(self, process: subprocess.Popen[str]) -> None:
        """Read what the tracker says, until it ends."""
        failure = ""
        assert process.stdout is not None
        with process.stdout as answers:
            for line in answers:
                told: dict[str, str] = json.loads(line)
                with self._changed:
                    self._last_sign = time.monotonic()
                    if "note" in told:
                        self._notes.append(told["note"])
                    elif "failed" in told:
                        failure = told["failed"]
                    else:
                        self._num_taken += 1
                        self.where = told.get("done", self.where)
                    self._changed.notify_all()
        self._over(failure or ("" if self.where else "its process ended"))

    def _over(self, failure: str) -> None:
        with self._changed:
            self._failure = self._failure or failure
            self._is_over = True
            self._changed.notify_all()

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _said(self) -> list[str]:
        total = self._num_sent + len(self._waiting) + self._num_dropped
        missing = total - self._num_taken
        if self._failure:
            self._notes.append(
                f"{self.name} was told {self._num_taken} of {total} records: {self._failure}; {_REMEDY}."
            )
        elif missing:
            self._notes.append(f"{self.name} could not keep up and lacks {missing} of {total} records; {_REMEDY}.")
        return self._notes
