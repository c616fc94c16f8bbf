"""The journal of a run: the one truth from which everything else is derived.

``journal.jsonl`` in the run folder holds one JSON object a line, appended and fsynced before anything acts on
it. Killing the process at any moment leaves at most one torn last line, which opening the journal cuts off.
A lock on the folder lets one search at a time write to it; the system drops the lock with the process.
"""

from __future__ import annotations

import fcntl
import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from synthcity.errors import RunError

Event = dict[str, Any]


class Journal:
    """Append-only event file of one run folder, held exclusively while open."""

    def __init__(self, folder: Path) -> None:
        """Open or create the journal in ``folder``; ``events`` then holds what was written before.

        Raises:
            RunError: the folder cannot be written, is in use by another search, or the journal is damaged.
        """
        self.path = folder / "journal.jsonl"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = open(folder / ".lock", "a+")  # noqa: SIM115 - held open until close()
            self._file = open(self.path, "a+b", buffering=0)  # noqa: SIM115
        except OSError as error:
            raise RunError(f"the run folder {folder} cannot be written: {error.strerror or error}") from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.close()
            self._lock.close()
            raise RunError(
                f"another search is working in {folder}; wait for it or give this one another name"
            ) from error
        self.events: list[Event] = self._read()

    def append(self, event: Mapping[str, Any]) -> None:
        """Write one event and return once it is on the disk.

        Raises:
            RunError: the disk is full or gone; nothing of the event stays in the file.
        """
        line = json.dumps(_finite(event), allow_nan=False, separators=(",", ":")).encode() + b"\n"
        size = os.fstat(self._file.fileno()).st_size
        try:
            written = self._file.write(line)
            if written != len(line):  # a raw write stops short when the disk fills up
                raise OSError("no space left on the device")
            os.fsync(self._file.fileno())
        except OSError as error:
            self._file.truncate(size)
            raise RunError(f"cannot write {self.path}: {error.strerror or error}") from error

    def close(self) -> None:
        """Release the file and the folder."""
        self._file.close()
        self._lock.close()

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read(self) -> list[Event]:
        self._file.seek(0)
        data = self._file.read()
        whole = data.rfind(b"\n") + 1
        if whole < len(data):
            self._file.truncate(whole)
        return [self._parse(number, line) for number, line in enumerate(data[:whole].splitlines(), start=1)]

    def _parse(self, number: int, line: bytes) -> Event:
        try:
            event = json.loads(line)
        except ValueError:
            event = None
        if not isinstance(event, dict) or "kind" not in event:
            self.close()
            raise RunError(f"{self.path} is damaged at line {number}; start a new run under another name")
        return event


def _finite(value: Any) -> Any:
    """Plain JSON data: NumPy scalars become Python's, numbers that JSON lacks become null."""
    if isinstance(value, Mapping):
        return {str(k): _finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(v) for v in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
