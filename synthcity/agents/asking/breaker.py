"""The circuit breaker: after failures in a row a model is left alone, and everyone is told why and until when."""

from __future__ import annotations

import datetime
import threading
from dataclasses import dataclass

from synthcity.errors import LLMRefused, LLMUnavailable


@dataclass(frozen=True)
class Availability:
    """Whether a model may be asked now; ``until`` is unix seconds, None for "not in this process any more"."""

    ready: bool
    reason: str = ""
    until: float | None = None

    def __str__(self) -> str:
        if self.ready:
            return "ready"
        return f"stopped: {self.reason}" if self.until is None else f"resting until {utc(self.until)}: {self.reason}"


class Breaker:
    """Counts failed questions in a row. Thread-safe; pickles as plain data.

    After ``failures`` of them it refuses everything for ``rest_seconds``; then one more failure is enough to refuse
    again, and one success to forget them all.
    """

    def __init__(self, failures: int, rest_seconds: float) -> None:
        self._allowed, self._rest_seconds = failures, rest_seconds
        self._failed = 0
        self._until: float | None = 0.0
        self._reason = ""
        self._lock = threading.Lock()

    def state(self, now: float) -> Availability:
        """Return whether a question may be asked at ``now`` (unix seconds)."""
        with self._lock:
            if self._until is not None and now >= self._until:
                return Availability(True)
            return Availability(False, self._reason, self._until)

    def check(self, now: float) -> None:
        """Raise LLMUnavailable or LLMRefused where :meth:`state` is not ready."""
        state = self.state(now)
        if state.ready:
            return
        if state.until is None:
            raise LLMRefused(f"the language model is not asked any more: {state.reason}")
        raise LLMUnavailable(f"the language model is left alone until {utc(state.until)}: {state.reason}")

    def succeeded(self) -> None:
        """Forget all failures."""
        with self._lock:
            self._failed = 0

    def failed(self, now: float, reason: str) -> None:
        """Count one failed question."""
        with self._lock:
            self._failed += 1
            enough = self._failed >= self._allowed
        if enough:
            self.rest(now + self._rest_seconds, reason)

    def rest(self, until: float, reason: str) -> None:
        """Refuse everything until then, unless that is already so for longer."""
        with self._lock:
            if self._until is not None and until > self._until:
                self._until, self._reason = until, reason

    def stop(self, reason: str) -> None:
        """Refuse everything for good."""
        with self._lock:
            if self._until is not None:
                self._until, self._reason = None, reason

    def __getstate__(self) -> dict[str, object]:
        return {name: value for name, value in vars(self).items() if name != "_lock"}

    def __setstate__(self, state: dict[str, object]) -> None:
        vars(self).update(state, _lock=threading.Lock())


def utc(seconds: float) -> str:
    """Return a unix second as text."""
    try:
        return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (OverflowError, ValueError, OSError):
        return "a day that no calendar knows"
