"""Threads whose work is taken caller by caller: who asks for many things waits behind those who ask for one."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


class FairPool:
    """Runs tasks on daemon threads, those of each caller in order, and the callers in turn. Use from any thread."""

    def __init__(self, num_threads: int, name: str, *, niceness: int = 0) -> None:
        """Args: ``niceness`` is added to that of the process, where threads have their own (Linux)."""
        self._niceness = niceness
        self._tasks = threading.Condition()
        self._waiting: dict[str, deque[tuple[Future[object], Callable[[], object]]]] = {}  # the next caller first
        self._is_open = True
        self._threads = [
            threading.Thread(target=self._work, name=f"{name}_{number}", daemon=True) for number in range(num_threads)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, caller: str, task: Callable[[], T]) -> Future[T]:
        """Run ``task`` when it is its caller's turn; a future that is cancelled before never begins."""
        future: Future[T] = Future()
        with self._tasks:
            if not self._is_open:
                raise RuntimeError("the pool is closed")
            self._waiting.setdefault(caller, deque()).append((future, task))  # type: ignore[arg-type]
            self._tasks.notify()
        return future

    def close(self, *, seconds: float = 0.0) -> None:
        """Work on what waits for so long at most, and cancel the rest."""
        with self._tasks:
            self._is_open = False
            if not seconds:
                self._cancel_all()
            self._tasks.notify_all()
        ended = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, ended - time.monotonic()))
        with self._tasks:
            self._cancel_all()

    def _cancel_all(self) -> None:
        for line in self._waiting.values():
            for future, _ in line:
                future.cancel()
        self._waiting.clear()

    def _next(self) -> tuple[Future[object], Callable[[], object]] | None:
        with self._tasks:
            while not self._waiting:
                if not self._is_open:
                    return None
                self._tasks.wait()
            caller, line = next(iter(self._waiting.items()))
            del self._waiting[caller]
            item = line.popleft()
            if line:
                self._waiting[caller] = line  # behind all others
            return item

    def _work(self) -> None:
        if self._niceness:
            with contextlib.suppress(OSError, AttributeError):  # Linux alone has priorities of threads
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), self._niceness)
        while (item := self._next()) is not None:
            future, task = item
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(task())
            except BaseException as error:  # noqa: BLE001 (whoever waits for it is told)
                future.set_exception(error)
            del item, future, task  # an idle thread holds no paths


class Shares:
    """What each caller has in hand, and whether it may have more: a full house leaves everybody an equal share.

    Use from any thread.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._lock = threading.Lock()
        self._held: Counter[str] = Counter()

    def has_room(self, caller: str) -> bool:
        """Whether there is room, or the caller has less than its share of it."""
        with self._lock:
            total = self._held.total()
            if total < self.most:
                return True
            num_callers = len(self._held.keys() | {caller})
            return total < 2 * self.most and self._held[caller] < self.most / num_callers

    @property
    def total(self) -> int:
        """What all have in hand."""
        with self._lock:
            return self._held.total()

    def num_held(self, caller: str) -> int:
        """What this caller has in hand."""
        with self._lock:
            return self._held[caller]

    def take(self, caller: str) -> None:
        """One more."""
        with self._lock:
            self._held[caller] += 1

    def give_back(self, caller: str) -> None:
        """One less."""
        with self._lock:
            self._held[caller] -= 1
            if not self._held[caller]:
                del self._held[caller]
