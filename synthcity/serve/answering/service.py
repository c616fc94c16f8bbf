"""What all routes share: the engine behind a bound on work in hand, and everything that is told about an answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from synthcity.serve.admission.question import MAX_BYTES
from synthcity.serve.admission.refusal import Refusal
from synthcity.serve.answering import metrics as kinds
from synthcity.serve.answering.answer_recorder import AnswerRecorder
from synthcity.serve.answering.clock import Answer
from synthcity.serve.answering.engine import Answered, Engine
from synthcity.serve.answering.fair import Shares
from synthcity.serve.answering.shadow import Shadow
from synthcity.serve.answering.tally import Status, Tally
from synthcity.sn50.prompt import Prompt

T = TypeVar("T")
_BODY_SECONDS = 5.0


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request for paths: by which route and whom (hotkey, or empty), when, and how long it waits.

    ``now`` is unix seconds, ``begin`` of ``time.perf_counter``.
    """

    route: str
    caller: str
    now: float
    begin: float
    patience_seconds: float


class Service:
    """Answers prompts, counts them and records what validators got."""

    def __init__(
        self,
        engine: Engine,
        metrics: Tally,
        recorder: AnswerRecorder,
        *,
        bundle: str = "",
        shadow: Shadow | None = None,
        max_in_flight: int = 256,
        max_per_caller: int = 16,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Build a service.

        Args:
            engine: draws paths.
            metrics: counts; services that stand beside each other share it.
            recorder: keeps what validators got; people and tools are told their seed instead.
            bundle: hash of the model's bundle, for the record.
            shadow: answers validators' prompts too, for the ledger alone.
            max_in_flight: prompts that are worked on or wait at once; more are refused, unless their caller has less
                than its share.
            max_per_caller: prompts of one caller that are in hand at once; more are refused. With those that wait to be
                recorded it may have twice as many, which leaves others half of what may wait.
            clock: unix seconds.
        """
        self.engine = engine
        self.metrics = metrics
        self.shadow = shadow
        self.recorder = recorder
        self.bundle = bundle
        self.max_per_caller = max_per_caller
        self.clock = clock
        self.watched: Callable[[], str | None] = lambda: None
        """What else may be wrong in this process, for ``status``."""
        self.moment: Callable[[str], float] = lambda asset: self.clock()
        """As of when an asset is answered for, unix seconds, where the caller does not say."""
        self._in_flight = Shares(max_in_flight)

    @property
    def num_in_hand(self) -> int:
        """Prompts that are being answered or wait."""
        return self._in_flight.total

    async def answer(
        self, asked: Asked, prompt: Prompt, finish: Callable[[Answer], T], seed: int | None = None
    ) -> Answered[T]:
        """Draw, and make of the paths what ``finish`` says, in the thread that drew.

        Raises:
            Refusal: 503 if there is too much to do, or nobody can answer.
        """
        try:
            answered = await self._answer(asked, prompt, finish, seed)
        except Refusal as refusal:
            refusal.asset = prompt.asset
            raise
        self._tell(asked, prompt, answered, time.perf_counter() - asked.begin)
        return answered

    async def _answer(
        self, asked: Asked, prompt: Prompt, finish: Callable[[Answer], T], seed: int | None
    ) -> Answered[T]:
        caller = asked.caller
        num_held, num_waiting = self._in_flight.num_held(caller), self.recorder.num_waiting(caller)
        # a burst that was answered in time must not be refused the next one for our own disk's sake
        if caller and (num_held >= self.max_per_caller or num_held + num_waiting >= 2 * self.max_per_caller):
            told = f"{num_held} prompts of this hotkey are in hand and {num_waiting} wait to be recorded"
            raise Refusal(503, "share", f"{told}; ask again in a second")
        if not self._in_flight.has_room(caller):
            raise Refusal(503, "busy", "too many prompts are being answered; ask again in a second")
        self._in_flight.take(caller)
        try:
            return await self.engine.answer(prompt, asked.now, asked.patience_seconds, finish, seed, caller=caller)
        finally:
            self._in_flight.give_back(caller)

    def status(self) -> Status:
        """How things stand, for whoever watches."""
        shadow = self.shadow
        late = (
            f"{shadow.num_left_out} prompts came too fast for the challenger" if shadow and shadow.num_left_out else ""
        )
        engine = self.engine
        prices = engine.prices.problem
        problems = (engine.problem, engine.unanswered, prices, self.recorder.problem, late, self.watched())
        return replace(
            self.metrics.status(),
            bundle=self.bundle,
            shadowed=shadow.num_drawn if shadow else 0,
            shadow_failed=shadow.num_failed if shadow else 0,
            problems=tuple(filter(None, problems)),
        )

    def refuse(self, route: str, refusal: Refusal) -> Response:
        """Turn a refusal into an answer, and count it."""
        labels = {"route": route, "asset": refusal.asset, "status": str(refusal.status), "reason": refusal.reason}
        self.metrics.record(kinds.REFUSALS, labels)
        headers = {"retry-after": "1"} if refusal.status == 503 else None
        return JSONResponse({"message": refusal.message}, refusal.status, headers)

    def _tell(self, asked: Asked, prompt: Prompt, answered: Answered[T], seconds: float) -> None:
        labels = {"route": asked.route, "asset": prompt.asset, "time_length": str(prompt.time_length)}
        self.metrics.record(kinds.ANSWERS, {**labels, "fallback": answered.fallback or "none"})
        self.metrics.record(kinds.LATENCY, labels, seconds)
        self.metrics.record(kinds.MARGIN, labels, asked.patience_seconds - seconds)
        self.metrics.record(kinds.PRICE_AGE, labels, answered.answer.price_age)
        if asked.caller:
            self.metrics.note_answer(asked.now)
            self.recorder.add(
                prompt,
                answered.answer.paths,
                asked_at=asked.now,
                seed=answered.seed,
                bundle=self.bundle,
                price_age=answered.answer.price_age,
                fallback=answered.fallback,
                caller=asked.caller,
                seconds=seconds,
            )
            if self.shadow is not None:
                self.shadow.add(prompt, answered, asked_at=asked.now, caller=asked.caller)


async def read_limited(request: Request) -> bytes:
    """Read the body of a request as long as it may be.

    Raises:
        Refusal: 413 for too many bytes, 408 for too slow ones, 400 if the caller went away.
    """
    declared = request.headers.get("content-length", "0")
    too_long = Refusal(413, "size", f"a question has at most {MAX_BYTES} bytes")
    if not declared.isdecimal() or len(declared) > 9 or int(declared) > MAX_BYTES:
        raise too_long
    body = bytearray()
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_BYTES:
                    raise too_long
    except TimeoutError:
        raise Refusal(408, "slow", f"the body did not arrive within {_BODY_SECONDS:g} s") from None
    except ClientDisconnect:
        raise Refusal(400, "gone", "the caller went away") from None
    return bytes(body)
