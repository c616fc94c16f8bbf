"""Waiting for what another thread or process does, where nothing tells that it is done."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable


def until(is_so: Callable[[], object], *, seconds: float = 60.0, process: subprocess.Popen | None = None) -> None:
    """Return as soon as ``is_so``; fail after so many seconds, or once ``process`` has ended."""
    ended = time.monotonic() + seconds
    while not is_so():
        assert process is None or process.poll() is None, f"it ended with {process.returncode}"
        assert time.monotonic() < ended, f"not within {seconds:g} s"
        time.sleep(0.01)


def ignores(pid: int, number: int) -> bool:
    """Whether a process ignores a signal by now."""
    with open(f"/proc/{pid}/status", encoding="utf-8") as status:
        line = next(line for line in status if line.startswith("SigIgn:"))
    return bool(int(line.split()[1], 16) >> (number - 1) & 1)
