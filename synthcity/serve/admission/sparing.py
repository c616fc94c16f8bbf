"""A log that says the same thing once a minute: what goes wrong with every request must not fill the disk as well."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

SECONDS = 60.0


class Sparing(logging.LoggerAdapter[logging.Logger]):
    """Passes on one message of a kind (same level, same template) a minute, with the number of those left out."""

    def __init__(self, logger: logging.Logger, *, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(logger)
        self._clock = clock
        self._lock = threading.Lock()
        self._passed: dict[tuple[int, object], tuple[float, int]] = {}  # when one went through, how many did not since

    def log(self, level: int, msg: object, *args: Any, **kwargs: Any) -> None:
        """Pass the message on, or count it."""
        kind = (level, msg)
        with self._lock:
            now = self._clock()
            passed_at, num_left_out = self._passed.get(kind, (-SECONDS, 0))
            due = now - passed_at >= SECONDS
            self._passed[kind] = (now, 0) if due else (passed_at, num_left_out + 1)
        if due:
            more = f" ({num_left_out} more like this in between)" if num_left_out else ""
            super().log(level, f"{msg}{more}", *args, **kwargs)
