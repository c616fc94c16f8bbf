"""A challenger in the shadow: it answers what was answered, afterwards, and nobody but the ledger gets it.

It sees the very prices of the answer that went out. What it cannot answer counts against it (``challenge``): the
fallback is recorded in its place, as it would have gone out. For what it was not made the fallback would always go out,
and counts as its answer.
"""

from __future__ import annotations

import logging
import time
from functools import partial
from typing import Any

from synthcity.errors import NotCovered
from synthcity.forecast.forecaster import Forecaster
from synthcity.serve.answering.answer_ledger import Fallback
from synthcity.serve.answering.answer_recorder import AnswerRecorder
from synthcity.serve.answering.clock import simulate
from synthcity.serve.answering.engine import Answered, check_answer
from synthcity.serve.answering.fair import FairPool, Shares
from synthcity.sn50.prompt import Prompt

MOST_WAITING = 64
_NICE = 10
_log = logging.getLogger(__name__)


class Shadow:
    """Draws on one thread of low priority. Prompts that come faster than it draws are left out, and counted."""

    def __init__(
        self,
        model: Forecaster,
        bundle: str,
        fallback: Forecaster,
        recorder: AnswerRecorder,
        *,
        longest_wait_seconds: float,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        """Args: ``bundle`` is the challenger's hash; ``longest_wait_seconds`` as for the champion."""
        self.model, self.bundle, self.fallback = model, bundle, fallback
        self.num_drawn = self.num_failed = self.num_left_out = 0
        self._recorder = recorder
        self._longest_wait = longest_wait_seconds
        self._waiting = Shares(most_waiting)
        self._pool = FairPool(1, "shadow", niceness=_NICE)

    def add(self, prompt: Prompt, answered: Answered[Any], *, asked_at: float, caller: str) -> None:
        """Draw for this prompt too, later; callers are served in turn."""
        if not self._waiting.has_room(caller):
            self.num_left_out += 1
            return
        self._waiting.take(caller)
        task = self._pool.submit(caller, partial(self._try, prompt, answered, asked_at, caller))
        task.add_done_callback(lambda _: self._waiting.give_back(caller))

    def close(self, seconds: float = 5.0) -> None:
        """Draw what waits, for so long at most."""
        self._pool.close(seconds=seconds)

    def _try(self, prompt: Prompt, answered: Answered[Any], asked_at: float, caller: str) -> None:
        try:
            self._draw(prompt, answered, asked_at, caller)
        except Exception:  # noqa: BLE001 (one prompt must not end the race)
            _log.exception("no shadow of %s", prompt)

    def _draw(self, prompt: Prompt, answered: Answered[Any], asked_at: float, caller: str) -> None:
        begin, reason = time.perf_counter(), None
        self.num_drawn += 1
        wait = self._longest_wait
        try:
            drawn = simulate(self.model, answered.history, prompt, seed=answered.seed, longest_wait_seconds=wait)
            check_answer(drawn, prompt)
        except NotCovered:
            reason = Fallback.FOREIGN
            drawn = simulate(self.fallback, answered.history, prompt, seed=answered.seed, longest_wait_seconds=wait)
        except Exception as error:  # noqa: BLE001 (a model may fail in any way; it counts against it)
            _log.warning("the challenger %s failed on %s: %s", self.model.name, prompt, error)
            self.num_failed, reason = self.num_failed + 1, Fallback.FAILED
            drawn = simulate(self.fallback, answered.history, prompt, seed=answered.seed, longest_wait_seconds=wait)
        self._recorder.add(
            prompt,
            drawn.paths,
            asked_at=asked_at,
            seed=answered.seed,
            bundle=self.bundle,
            price_age=drawn.price_age,
            fallback=reason,
            sent=False,
            caller=caller,
            seconds=time.perf_counter() - begin,
        )
