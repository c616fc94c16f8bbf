"""Append-only files of JSON objects, one a line, that outlive kills and full disks.

Any number of processes write, one at a time, and read meanwhile. A line counts once its newline is on the disk. A file
whose lines stand each for itself is read by ``read_lines`` or ``read_records``, one that tells a story by ``read_all``.

Every line ends with the CRC-32 of what stands before it, as ``"crc":"0f1e2d3c"}``, so that a disk that errs cannot make
one event into another. Lines of earlier versions and of people have none and are read as they are.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Self, TypeVar

from pydantic_core import from_json

from synthcity.errors import DataError, RunError
from synthcity.files import make_folder, sync

Event = dict[str, Any]
T = TypeVar("T")
_log = logging.getLogger(__name__)
_CRC = b'"crc":"'
_SEAL = len(_CRC) + 8 + len(b'"}')  # bytes from the name of the checksum to the end of its line
_LIKENESS = 6  # of the nine fixed bytes of a seal; a line with as many and not all of them had one that is damaged


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
    tail = Tail(path, lambda event: event)
    return Lines(events=tuple(tail.read()), problems=tail.problems)


def read_all(path: Path) -> list[Event]:
    """Read a file that says nothing any more once a line of it is missing; a torn last line is not one yet.

    Raises:
        RunError: the file cannot be read, or a line in it is damaged.
    """
    tail = Tail(path, lambda event: event)
    events = tail.read()
    if tail.damaged:
        raise RunError(f"{path} is damaged at line {tail.damaged[0]}; repair it or start a new run under another name")
    return events


def read_records(path: Path, parse: Callable[[Event], T]) -> tuple[list[T], list[str]]:
    """Read a file of one kind of record; lines that ``parse`` refuses with a ``DataError`` are left out and told.

    Raises:
        RunError: the file cannot be read.
    """
    tail = Tail(path, parse)
    return tail.read(), list(tail.problems)


class Tail(Generic[T]):
    """Reads a file of one kind of record while it is written to, every line once.

    ``damaged`` holds the numbers of the lines that are none, from 1.
    """

    def __init__(self, path: Path, parse: Callable[[Event], T]) -> None:
        """Args: ``parse`` makes a record of a line, or refuses it with a ``DataError``."""
        self.path, self._parse = path, parse
        self._inode: int | None = None
        self._offset = self._num_lines = self._num_foreign = 0
        self.damaged: tuple[int, ...] = ()
        self._foreign, self._is_torn = "", False

    @property
    def problems(self) -> tuple[str, ...]:
        """A sentence for each damaged line so far, one for all foreign ones, and one for a torn last line."""
        found = [f"line {number} of {self.path} is damaged and left out" for number in self.damaged]
        if self._is_torn:
            found.append(f"the last line of {self.path} is torn and left out")
        if self._num_foreign:
            count = f"{self._num_foreign} of the lines of {self.path} are foreign and left out"
            found.append(f"{count}; the first {self._foreign}")
        return tuple(found)

    @property
    def is_cut(self) -> bool:
        """Whether the file no longer begins with what was read; then begin again with another ``Tail``."""
        if not self._offset:
            return False
        try:
            with self.path.open("rb") as file:
                file.seek(self._offset - 1)
                return os.fstat(file.fileno()).st_ino != self._inode or file.read(1) != b"\n"
        except OSError:
            return True

    def read(self, most: int | None = None) -> list[T]:
        """Return the records of lines that were not read before, at most so many; none if there is no more.

        Raises:
            RunError: the file cannot be read; what was not returned will be.
        """
        records: list[T] = []
        damaged, refused, offset, number, line = [], [], self._offset, self._num_lines, b""
        try:
            with self.path.open("rb") as file:
                inode = os.fstat(file.fileno()).st_ino
                file.seek(offset)
                while (most is None or len(records) < most) and (line := file.readline()).endswith(b"\n"):
                    offset, number = offset + len(line), number + 1
                    event = parse_line(line)
                    if event is None:
                        damaged.append(number)
                        continue
                    try:
                        records.append(self._parse(event))
                    except DataError as error:
                        refused.append(str(error))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise RunError(f"cannot read {self.path}: {error.strerror or error}") from error
        self._inode, self._offset, self._num_lines = inode, offset, number
        self.damaged += tuple(damaged)
        self._num_foreign += len(refused)
        self._foreign = self._foreign or "".join(refused[:1])
        self._is_torn = bool(line) and not line.endswith(b"\n")
        return records


def append_line(path: Path, event: Mapping[str, object]) -> None:
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
            make_folder(path.parent)
            self._file = open(path, "a+b", buffering=0)  # noqa: SIM115 - held open until close()
            if not os.fstat(self._file.fileno()).st_size:
                sync(path.parent)  # a line is not on the disk before the file's name is
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

    def append(self, event: Mapping[str, object]) -> None:
        """Write one line and return once it is on the disk.

        Raises:
            RunError: the disk is full or gone; nothing of the line stays in the file.
            ValueError: the event holds a number that JSON lacks, or the reserved key "crc".
        """
        line = sealed(event)
        with self._thread_lock, self._locked():
            try:
                self._put_torn_aside()
                self._write(line)
            except OSError as error:
                raise RunError(f"cannot write {self.path}: {error.strerror or error}") from error

    def stat(self) -> os.stat_result:
        """Tell which file is written to, since another may have been put in its place."""
        return os.fstat(self._file.fileno())

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


def sealed(event: Mapping[str, object]) -> bytes:
    """Return the line of an event as it is written, its checksum and its newline included.

    Raises:
        ValueError: it holds a number that JSON lacks, or the reserved key "crc".
    """
    if "crc" in event:
        raise ValueError(f"the key 'crc' is the checksum's own, got {event['crc']!r} in it")
    text = json.dumps(event, allow_nan=False, ensure_ascii=False, separators=(",", ":"))[:-1] + ("," if event else "")
    body = text.encode("utf-8", "backslashreplace")  # half a character, as in odd file names, is escaped
    return body + _seal(body) + b"\n"


def _seal(body: bytes) -> bytes:
    return b'%s%08x"}' % (_CRC, zlib.crc32(body))


def _is_whole(line: bytes) -> bool:
    """Whether the checksum of a line fits, or it never had one."""
    line = line.rstrip(b"\n")
    body, seal = line[:-_SEAL], line[-_SEAL:]
    if seal == _seal(body):
        return True
    found, fixed = seal[: len(_CRC)] + seal[-2:], _CRC + b'"}'
    return sum(one == other for one, other in zip(found, fixed, strict=False)) < _LIKENESS


def _decoded(line: bytes) -> object:
    """Read JSON fast; what that refuses and Python takes, such as half a character, by Python's own reader."""
    try:
        return from_json(line, allow_inf_nan=False)
    except ValueError:
        return json.loads(line, parse_constant=lambda name: None)  # numbers that JSON lacks


def parse_line(line: bytes) -> Event | None:
    """Return the event of a line, without its checksum; None where it is damaged."""
    try:
        event = _decoded(line) if _is_whole(line) else None
    except (ValueError, RecursionError):  # the latter: nested too deep
        return None
    if not isinstance(event, dict):
        return None
    event.pop("crc", None)
    return event
