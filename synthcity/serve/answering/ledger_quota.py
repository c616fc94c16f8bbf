"""How much the ledger may take: what comes beyond is not recorded, and nobody's answers may take more than half."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

PATHS = "paths"
_LOOK_SECONDS = 60.0


def ledger_bytes(folder: Path) -> int:
    """What all files of a ledger take."""
    return sum(size for _, size in _files(folder))


def holder(caller: str) -> str:
    """Name of the folder, below that of a day, with the paths that ``caller`` got."""
    return caller[:12] or "nobody"


class Quota:
    """Knows what a ledger takes, within a minute, whoever else writes and settles there. Use from one thread."""

    def __init__(self, folder: Path, most_bytes: int, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.most_bytes = most_bytes
        self._folder, self._monotonic = folder, monotonic
        self._looked_at: float | None = None
        self._total = 0
        self._by_holder: Counter[str] = Counter()

    def refuses(self, caller: str, num_bytes: int) -> str | None:
        """Why another answer of ``num_bytes`` for ``caller`` must not be recorded; None if it may, and then it counts.

        What is not settled is never removed to make room.
        """
        self._look()
        name = holder(caller)
        limit = f"{self.most_bytes / 1e9:g} GB that it may"
        if self._total + num_bytes > self.most_bytes:
            return f"the ledger takes the {limit}"
        if self._by_holder[name] + num_bytes > self.most_bytes / 2:
            return f"what waits of {caller} takes half of the {limit}"
        self._total += num_bytes
        self._by_holder[name] += num_bytes
        return None

    def _look(self) -> None:
        now = self._monotonic()
        if self._looked_at is not None and now - self._looked_at < _LOOK_SECONDS:
            return
        self._looked_at, self._total = now, 0
        self._by_holder.clear()
        for path, size in _files(self._folder):
            self._total += size
            parts = path.relative_to(self._folder).parts
            if parts[0] == PATHS and len(parts) == 4:  # paths/<day>/<holder>/<file>
                self._by_holder[parts[2]] += size


def _files(folder: Path) -> Iterator[tuple[Path, int]]:
    for base, _, names in os.walk(folder):
        for name in names:
            path = Path(base, name)
            try:
                yield path, path.stat().st_size
            except FileNotFoundError:  # settled meanwhile
                continue
