"""Append-only files of JSON objects, one a line, that outlive kills and full disks.

Any number of processes write, one at a time, and read meanwhile. A line counts once its newline is on the disk. A file
whose lines stand each for itself is read by ``read_lines`` or ``read_records``, one that tells a story by ``read_all``.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

from synthcity.errors import DataError, RunError

Event = dict[str, Any]
T = TypeVar("T")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Lines:
    """What a file holds: ``events`` in order, and a sentence for each line that is none in ``problems``."""

    events: tuple[Event, ...]
    problems: tuple[str, ...]


def read_lines(path: Path) -> Lines:
    """Read a file while it may be written to; nothing where there is none.

    A damaged line is left out and told. So is a torn last line, which may be one that is just being written.

    Raises:
        RunError: the file cannot be read.
    """
    found, torn = _read(path)
    problems = [
        f"line {n} of {path} is damaged and left out" for n, event in enumerate(found, start=1) if event is None
    ]
    if torn:
        problems.append(f"the last line of {path} is torn and left out")
    return Lines(events=tuple(event for event in found if event is not None), problems=tuple(problems))


def read_all(path: Path) -> list[Event]:
    """Read a file that says nothing any more once a line of it is missing; a torn last line is not one yet.

    Raises:
        RunError: the file cannot be read, or a line in it is damaged.
    """
    events: list[Event] = []
    for number, event in enumerate(_read(path)[0], start=1):
        if event is None:
            raise RunError(f"{path} is damaged at line {number}; repair it or start a new run under another name")
        events.append(event)
    return events


def read_records(path: Path, parse: Callable[[Event], T]) -> tuple[list[T], list[str]]:
    """Read a file of one kind of record; lines that ``parse`` refuses with a ``DataError`` are left out and told.

    Raises:
        RunError: the file cannot be read.
    """
    lines = read_lines(path)
    records, problems, refused = [], list(lines.problems), []
    for event in lines.events:
        try:
            records.append(parse(event))
        except DataError as error:
            refused.append(str(error))
    if refused:
        problems.append(f"{len(refused)} of the lines of {path} are foreign and left out; the first {refused[0]}")
    return records, problems


def append_line(path: Path, event: Mapping[str, Any]) -> None:
    """Write one line to a file that nobody keeps open; see ``LineWriter`` for what it takes care of.

    Raises:
        RunError: it cannot be written.
        ValueError: the event holds a number that JSON lacks.
    """
    with LineWriter(path) as lines:
        lines.append(event)


class LineWriter:
    """Appends to one file. Use from any thread, or as a context manager; several processes may share a file.

    A torn last line of a killed writer is moved to ``<file>.torn``, so that it neither spoils the next line nor is
    lost; ``mended`` says so.
    """

    def __init__(self, path: Path, *, exclusive: bool = False) -> None:
        """Open or create the file.

        Args:
            exclusive: let nobody else write until ``close``.

        Raises:
            RunError: it cannot be written, or another process has it for itself.
        """
        self.path = path
        self.mended: str | None = None
        self._exclusive = exclusive
        self._thread_lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = open(path, "a+b", buffering=0)  # noqa: SIM115 - held open until close()
        except OSError as error:
            raise RunError(f"cannot write {path} ({error.strerror or error}); choose another folder") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB if exclusive else fcntl.LOCK_EX)
            self._put_torn_aside()
            if not exclusive:
                fcntl.flock(self._file, fcntl.LOCK_UN)
        except BlockingIOError as error:
            self._file.close()
            raise RunError(f"another process writes to {path}; wait for its end or choose another folder") from error
        except OSError as error:
            self._file.close()
            raise RunError(f"cannot write {path}: {error.strerror or error}") from error

    def append(self, event: Mapping[str, Any]) -> None:
        """Write one line and return once it is on the disk.

        Raises:
            RunError: the disk is full or gone; nothing of the line stays in the file.
            ValueError: the event holds a number that JSON lacks.
        """
        line = json.dumps(event, allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        with self._thread_lock, self._locked():
            try:
                self._put_torn_aside()
                self._write(line)
            except OSError as error:
                raise RunError(f"cannot write {self.path}: {error.strerror or error}") from error

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep other processes from writing in between; the system lets go of the lock when a process dies."""
        if self._exclusive:
            yield
            return
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def _write(self, line: bytes) -> None:
        size = os.fstat(self._file.fileno()).st_size
        try:
            if self._file.write(line) != len(line):  # a raw write stops short when the disk fills up
                raise OSError("no space left on the device")
            os.fsync(self._file.fileno())
        except OSError:
            self._file.truncate(size)
            raise

    def _put_torn_aside(self) -> None:
        size = os.fstat(self._file.fileno()).st_size
        if not size or os.pread(self._file.fileno(), 1, size - 1) == b"\n":
            return
        data = self.path.read_bytes()
        whole = data.rfind(b"\n") + 1
        aside = self.path.with_name(self.path.name + ".torn")
        with open(aside, "ab") as file:
            file.write(data[whole:] + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self._file.truncate(whole)
        self.mended = f"the last line of {self.path} was torn, {size - whole} bytes; it was moved to {aside}"
        _log.warning(self.mended)


def _read(path: Path) -> tuple[list[Event | None], bool]:
    """Return every whole line, None where it is damaged, and whether the last one is torn."""
    try:
        data = path.read_bytes() if path.exists() else b""
    except OSError as error:
        raise RunError(f"cannot read {path}: {error.strerror or error}") from error
    *lines, rest = data.split(b"\n")
    return [_parse(line) for line in lines], bool(rest)


def _parse(line: bytes) -> Event | None:
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) else None
