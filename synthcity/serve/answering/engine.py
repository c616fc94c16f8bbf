"""Paths before the deadline: the model if it can, else a statistical forecaster that always can, and which it was.

A thread cannot be stopped. A model that does not come back in time is left to itself and counted; once it holds all
of its threads, prompts go to the fallback at once and ``problem`` says why, so that the replica gets replaced.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from synthcity.durations import DAY, HOUR
from synthcity.errors import NotCovered, SynthcityError
from synthcity.forecast.forecaster import Forecaster
from synthcity.market.bars import History
from synthcity.schema import key, seconds
from synthcity.serve.admission.refusal import Refusal
from synthcity.serve.answering.answer_ledger import Fallback
from synthcity.serve.answering.clock import Answer, simulate
from synthcity.serve.answering.fair import FairPool, Shares
from synthcity.serve.answering.prices import Prices
from synthcity.sn50.prompt import Prompt

_log = logging.getLogger(__name__)
T = TypeVar("T")
_TOLD_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class EngineConfig:
    """Attributes:
    num_threads: prompts that the model works on at once.
    most_waiting: prompts that the model has in hand or that wait for it; further ones get the fallback at once, unless
        their caller has less than its share there.
    niceness: of the threads, added to that of the process.
    model_seconds: most that the model may take, whatever the deadline.
    reserve_seconds: kept back from the deadline for the fallback and for the way to the caller.
    longest_wait_seconds: how old a price may be when t0 is settled; without a younger one nothing is answered.
    """

    num_threads: int = key(2, low=1, high=256)
    most_waiting: int = key(16, low=1, high=100_000)
    model_seconds: float = seconds(20.0, low=0, high=HOUR)
    reserve_seconds: float = seconds(5.0, low=0, high=HOUR)
    longest_wait_seconds: float = seconds(1800.0, low=0, high=7 * DAY)
    niceness: int = key(0, low=0, high=19)


@dataclass(frozen=True, kw_only=True)
class Answered(Generic[T]):
    """What was drawn, and how.

    Attributes:
        answer: the paths, and the price from which they start.
        result: what ``finish`` made of them.
        seed: of the draw.
        forecaster: name of who answered.
        fallback: why it was not the model, None if it was.
        history: the prices that were known.
    """

    answer: Answer
    result: T
    seed: int
    forecaster: str
    fallback: Fallback | None
    history: History


class Engine:
    """Answers prompts from the latest prices. Close it when done."""

    def __init__(
        self, model: Forecaster, fallback: Forecaster, prices: Prices, config: EngineConfig | None = None
    ) -> None:
        self.model = model
        self.fallback = fallback
        self.prices = prices
        self.config = EngineConfig() if config is None else config
        niceness = self.config.niceness
        self._pool = FairPool(self.config.num_threads, "model", niceness=niceness)
        self._fallback_pool = FairPool(1, "fallback", niceness=niceness)
        self._at_model = Shares(self.config.most_waiting)
        self._lock = threading.Lock()
        self._num_left = 0
        self._unanswered: dict[str, tuple[float, str]] = {}

    @property
    def problem(self) -> str | None:
        """What is wrong with the model; None if nothing is."""
        if self._num_left >= self.config.num_threads:
            return f"{self.model.name} holds all of its {self.config.num_threads} threads and does not come back"
        return None

    @property
    def unanswered(self) -> str | None:
        """Why neither model nor fallback answered in the last minute, a sentence an asset; None if one always did."""
        oldest = time.monotonic() - _TOLD_SECONDS
        told = [text for at, text in tuple(self._unanswered.values()) if at > oldest]
        return "; ".join(told) or None

    async def answer(
        self,
        prompt: Prompt,
        now: float,
        patience_seconds: float,
        finish: Callable[[Answer], T],
        seed: int | None = None,
        *,
        caller: str = "",
    ) -> Answered[T]:
        """Draw paths and make of them what is asked for.

        Args:
            prompt: as the network put it.
            now: unix seconds; no later price is used.
            patience_seconds: what is left until the answer is worth nothing.
            finish: called in the thread that drew.
            seed: of the draw; a random one by default.
            caller: whose turn it takes; callers are served in turn.

        Raises:
            Refusal: 503 if neither the model nor the fallback can.
        """
        seed = secrets.randbits(62) if seed is None else seed

        def draw(forecaster: Forecaster) -> tuple[Answer, T, History]:
            history = self.prices.history(prompt.asset, now)
            wait = self.config.longest_wait_seconds
            drawn = simulate(forecaster, history, prompt, seed=seed, longest_wait_seconds=wait)
            check_answer(drawn, prompt)
            return drawn, finish(drawn), history

        reason = Fallback.STUCK if self.problem else None if self._at_model.has_room(caller) else Fallback.CROWDED
        allowance = min(self.config.model_seconds, patience_seconds - self.config.reserve_seconds)
        if reason is None and allowance > 0:
            task = self._pool.submit(caller, lambda: draw(self.model))
            self._at_model.take(caller)
            try:
                drawn, result, history = await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(task)), allowance)
                return Answered(
                    answer=drawn,
                    result=result,
                    seed=seed,
                    forecaster=self.model.name,
                    fallback=None,
                    history=history,
                )
            except TimeoutError:
                self._leave(task)
                reason = Fallback.LATE
                _log.warning("%s did not answer %s within %.1f s", self.model.name, prompt, allowance)
            except NotCovered:
                reason = Fallback.FOREIGN
            except SynthcityError as error:
                reason = Fallback.FAILED
                _log.warning("%s failed on %s: %s", self.model.name, prompt, error)
            except Exception:  # noqa: BLE001 (a model may fail in any way; the prompt is answered all the same)
                reason = Fallback.FAILED
                _log.exception("%s failed on %s", self.model.name, prompt)
            finally:
                self._at_model.give_back(caller)
        return await self._fall_back(draw, prompt, seed, reason or Fallback.LATE, caller)

    def warm_up(self, prompts: Sequence[Prompt], now: float) -> list[str]:
        """Answer once with model and fallback, and return what went wrong, a sentence each."""
        problems = []
        for prompt in prompts:
            for forecaster in (self.model, self.fallback):
                try:
                    history = self.prices.history(prompt.asset, now)
                    wait = self.config.longest_wait_seconds
                    simulate(forecaster, history, prompt, seed=0, longest_wait_seconds=wait)
                except SynthcityError as error:
                    problems.append(f"{forecaster.name}, {prompt.asset} {prompt.time_length} s: {error}")
        return problems

    def close(self) -> None:
        """End; whatever still runs is not waited for."""
        self._pool.close()
        self._fallback_pool.close()

    async def _fall_back(
        self,
        draw: Callable[[Forecaster], tuple[Answer, T, History]],
        prompt: Prompt,
        seed: int,
        reason: Fallback,
        caller: str,
    ) -> Answered[T]:
        name = self.fallback.name
        task = self._fallback_pool.submit(caller, lambda: draw(self.fallback))
        try:
            drawn, result, history = await asyncio.wrap_future(task)
        except SynthcityError as error:
            _log.error("no paths of %s: %s", prompt, error)  # the reason names files of ours: not for strangers
            self._unanswered[prompt.asset] = time.monotonic(), f"{prompt.asset} is refused: {error}"
            raise Refusal(503, "no_answer", f"no paths of {prompt.asset} can be drawn now; our log says why") from error
        level = logging.INFO if reason == Fallback.FOREIGN else logging.WARNING
        _log.log(level, "%s answered %s in place of %s (%s)", name, prompt, self.model.name, reason)
        return Answered(answer=drawn, result=result, seed=seed, forecaster=name, fallback=reason, history=history)

    def _leave(self, task: Future[tuple[Answer, T, History]]) -> None:
        """Count a task that nobody waits for until it comes back; one that never began is dropped."""
        if task.cancel():
            return
        with self._lock:
            self._num_left += 1
        task.add_done_callback(self._came_back)

    def _came_back(self, _: object) -> None:
        with self._lock:
            self._num_left -= 1


def check_answer(answer: Answer, prompt: Prompt) -> None:
    """Refuse what no validator would take.

    Raises:
        ValueError: a wrong shape, or prices that are not finite and > 0.
    """
    expected = (prompt.num_simulations, prompt.num_steps + 1)
    if answer.paths.shape != expected or not np.all((answer.paths > 0) & (answer.paths < np.inf)):
        raise ValueError(f"paths of shape {answer.paths.shape}, not all finite and positive, for {prompt}")
