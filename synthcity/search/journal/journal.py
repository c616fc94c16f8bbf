"""The journal of a run: the one truth from which everything else is derived.

``journal.jsonl`` in the run folder holds one event a line, appended and fsynced before anything acts on it. One search
at a time has it open; the system lets go of it with the process.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from synthcity.errors import RunError
from synthcity.lines import Event, LineWriter, read_all


class Journal(LineWriter):
    """The events of one run folder, held exclusively while open."""

    def __init__(self, folder: Path) -> None:
        """Open or create the journal in ``folder``; ``events`` then holds what was written before.

        Raises:
            RunError: the folder cannot be written, is in use by another search, or the journal is damaged.
        """
        super().__init__(folder / "journal.jsonl", exclusive=True)
        try:
            self.events = [self._checked(number, event) for number, event in enumerate(read_all(self.path), start=1)]
        except RunError:
            self.close()
            raise

    def append(self, event: Mapping[str, Any]) -> None:
        """Write one event and return once it is on the disk; numbers that JSON lacks become null.

        Raises:
            RunError: the disk is full or gone; nothing of the event stays in the file.
        """
        super().append(_finite(event))

    def _checked(self, number: int, event: Event) -> Event:
        if "kind" not in event:
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
