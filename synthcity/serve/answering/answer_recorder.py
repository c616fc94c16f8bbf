"""Answers on their way to the ledger, on a thread of its own: nobody who asks waits for our disk."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import deque
from typing import Any

from numpy.typing import ArrayLike

from synthcity.serve.admission.sparing import Sparing
from synthcity.serve.answering import metrics as kinds
from synthcity.serve.answering.answer_ledger import AnswerLedger
from synthcity.serve.answering.ledger_quota import Quota
from synthcity.serve.answering.tally import Tally
from synthcity.sn50.prompt import Prompt
from synthcity.sn50.submission import round_paths

MOST_WAITING = 64  # answers of two megabytes each
COUNTED_SECONDS = 2.0
"""How long an answer that waits for the disk counts as its caller's: a disk that hangs costs records, no answers."""

CLOSING_SECONDS = 10.0
_log = logging.getLogger(__name__)


class AnswerRecorder:
    """Hands answers to a ledger in order. Use from any thread; close it when done.

    An answer that cannot be kept is gone for the ledger alone: it is counted, logged, and told by ``problem``.
    """

    def __init__(
        self, ledger: AnswerLedger, metrics: Tally, *, quota: Quota | None = None, most_waiting: int = MOST_WAITING
    ) -> None:
        self.ledger = ledger
        self._quota, self._over = quota, ""
        self._metrics = metrics
        self._log = Sparing(_log)
        self._waiting: queue.Queue[tuple[Prompt, ArrayLike, dict[str, Any]] | None] = queue.Queue(most_waiting)
        self._num_left_out = 0
        self._added_at: dict[str, deque[float]] = {}
        self._thread = threading.Thread(target=self._follow, name="ledger", daemon=True)
        self._thread.start()

    @property
    def problem(self) -> str | None:
        """What is wrong with the disk, and what is held back, left out or lost; None if nothing is."""
        late = f"the disk is too slow: {self._num_left_out} answers are not recorded" if self._num_left_out else ""
        return "; ".join(filter(None, (self.ledger.problem, late, self._over))) or None

    def num_waiting(self, caller: str) -> int:
        """How many answers to this caller, of the last two seconds, wait for the disk."""
        oldest = time.monotonic() - COUNTED_SECONDS
        return sum(added_at > oldest for added_at in tuple(self._added_at.get(caller, ())))

    def add(self, prompt: Prompt, paths: ArrayLike, **fields: Any) -> None:
        """Record what the network gets of ``paths``, soon; see ``AnswerLedger.record``."""
        line = self._added_at.setdefault(fields.get("caller", ""), deque())
        line.append(time.monotonic())  # before the thread can take it
        try:
            self._waiting.put_nowait((prompt, paths, fields))
        except queue.Full:
            line.pop()
            self._num_left_out += 1
            self._lose("slow", "%d answers wait for the disk; %s is not recorded", self._waiting.maxsize, prompt)

    def close(self) -> None:
        """Write what waits, within ten seconds, and let go of the ledger."""
        try:
            self._waiting.put(None, timeout=CLOSING_SECONDS)
        except queue.Full:
            _log.error("the disk does not answer; %d answers are not recorded", self._waiting.qsize())
            return
        self._thread.join(CLOSING_SECONDS)
        if not self._thread.is_alive():
            self.ledger.close()

    def _follow(self) -> None:
        while (item := self._waiting.get()) is not None:
            prompt, paths, fields = item
            num_lost = self.ledger.num_lost
            try:
                if self._has_room(prompt, fields.get("caller", "")):
                    self.ledger.record(prompt, round_paths(paths), **fields)
            except Exception as error:  # noqa: BLE001 (one answer that cannot be kept must not end the record of others)
                self._lose("failed", "%s is not recorded: %s %s", prompt, type(error).__name__, error)
            self._added_at[fields.get("caller", "")].popleft()
            for _ in range(self.ledger.num_lost - num_lost):
                self._lose("disk", "an answer is lost: %s", self.ledger.problem)

    def _has_room(self, prompt: Prompt, caller: str) -> bool:
        if self._quota is None:
            return True
        size = 2 * prompt.num_simulations * (prompt.num_steps + 1)  # four bytes a price, halved by compression
        over = self._quota.refuses(caller, size) or ""
        if over:
            self._lose("quota", "%s is not recorded: %s", prompt, over)
        self._over = f"{over}; further answers are not recorded" if over else ""
        return not over

    def _lose(self, reason: str, message: str, *args: object) -> None:
        self._log.error(message, *args)
        self._metrics.record(kinds.UNRECORDED, {"reason": reason})
