"""A vault that does not answer is left alone for some minutes, and is then asked again; never given up for good."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from synthcity.durations import MINUTE
from synthcity.errors import VaultError

_FAILURES = 3  # in a row
REST_SECONDS = 5 * MINUTE


class Circuit:
    """Counts failures in a row. Usable from several threads.

    After three of them it refuses everything for five minutes; then one more is enough to refuse again, and one
    success to forget them all.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failed = 0
        self._until = 0.0
        self._reason = ""

    def check(self) -> None:
        """Return where something may be asked.

        Raises:
            VaultError: not now; it says why and for how long.
        """
        with self._lock:
            left = self._until - self._clock()
            if left > 0:
                raise VaultError(f"{self._reason}; it is left alone for {left / MINUTE:.1f} more minutes")

    def succeeded(self) -> None:
        """Forget all failures."""
        with self._lock:
            self._failed = 0

    def failed(self, reason: str) -> None:
        """Count one failure."""
        with self._lock:
            self._failed += 1
            if self._failed >= _FAILURES:
                self._until, self._reason = self._clock() + REST_SECONDS, reason
