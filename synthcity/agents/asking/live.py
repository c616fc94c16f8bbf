"""Asking a live server: which model, in which dialect, how often, how long, and for how much.

One loop makes all retries, and no other does. Refusals of a form cost nothing and are asked again in another form;
everything else is an attempt, reserved in the ledger before it is sent.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from synthcity.agents.asking.answers import read_choice
from synthcity.agents.asking.breaker import Availability, Breaker, utc
from synthcity.agents.asking.dialect import Dialect
from synthcity.agents.asking.endpoint import Endpoint
from synthcity.agents.asking.models import STRUCTURED, TOOLS, Model
from synthcity.agents.asking.redact import Redactor
from synthcity.agents.asking.roster import Roster
from synthcity.agents.asking.trouble import Trouble, error_in
from synthcity.agents.config import LLMConfig
from synthcity.agents.ledger import Ledger, Price, Reservation, believable, usage_of, worst_usage
from synthcity.agents.messages import Labels, Reply, Request, Spend
from synthcity.agents.replay import outcome_event
from synthcity.errors import LLMRefused, LLMUnavailable
from synthcity.settings import Settings

_log = logging.getLogger(__name__)
Note = Callable[[Mapping[str, object]], None]


class Live:
    """An endpoint with its models, its breaker and its manners. Thread-safe."""

    def __init__(
        self,
        settings: Settings,
        config: LLMConfig,
        ledger: Ledger,
        redactor: Redactor,
        note: Note,
        clock: Callable[[], float],
        sleep: Callable[[float], object] | None,
    ) -> None:
        """Args: ``note`` writes an event into the transcript; ``sleep`` None waits until ``close`` at most."""
        self._endpoint = Endpoint(settings.llm_base_url, settings.llm_api_key, config.patience, redactor)
        self._roster = Roster(self._endpoint, config, clock, self._note_models)
        self._breaker = Breaker(config.patience.failures, config.patience.rest_seconds)
        self._ledger, self._note, self._clock = ledger, note, clock
        self._patience = config.patience
        self._dialects: dict[str, Dialect] = {}
        self._closing = threading.Event()
        self._sleep = self._closing.wait if sleep is None else sleep

    @property
    def availability(self) -> Availability:
        """Whether a question may be asked now."""
        if self._endpoint.problem:
            return Availability(False, self._endpoint.problem)
        return self._breaker.state(self._clock())

    def close(self) -> None:
        """Close the connections and end all pauses."""
        self._closing.set()
        self._endpoint.close()

    def ask(self, request: Request, labels: Labels, seconds: float | None = None) -> Reply:
        """Ask one question, in ``seconds`` at most; see ``LLMClient.complete`` for the errors."""
        self._breaker.check(self._clock())
        try:
            most = self._patience.deadline_seconds
            reply = self._try(request, labels, self._clock() + (most if seconds is None else min(seconds, most)))
        except LLMUnavailable as error:
            self._breaker.failed(self._clock(), str(error))
            raise
        self._breaker.succeeded()
        return reply

    def _try(self, request: Request, labels: Labels, deadline: float) -> Reply:
        required = [TOOLS] if request.tools else []
        wished = [STRUCTURED] if request.schema is not None else []
        sent, failures, stumbled = 0, 0, set[str]()
        while True:
            if self._closing.is_set():
                raise LLMUnavailable("the client of the language model is closed")
            model: Model | None = None
            try:
                model = self._roster.pick(request.models, required, wished)
                sent += 1
                return self._attempt(model, request, {**labels, "attempt": sent}, deadline)
            except Trouble as trouble:
                _log.info("the language model failed: %s", trouble.text)
                if model is not None and self._speaks_otherwise(model, request, trouble):
                    continue  # costs nothing, and there are few forms to try
                if self._closing.is_set():
                    continue
                failures += 1
                other = False
                if model is not None and (trouble.cure == "switch" or (trouble.status == 500 and model.id in stumbled)):
                    self._roster.pass_over(model, gone=trouble.status == 404)
                    other = self._roster.has_other(request.models, required)
                elif model is not None:
                    stumbled.add(model.id)
                self._sleep(self._pause(trouble, failures, deadline, other=other))

    def _attempt(self, model: Model, request: Request, labels: Labels, deadline: float) -> Reply:
        """Make one request that may have to be paid."""
        dialect = self._dialects.get(model.id) or Dialect.of(model)
        prompt_bytes = _num_bytes(request.messages)
        max_tokens = dialect.longest_answer(model.longest_answer(request.max_tokens, prompt_bytes), prompt_bytes)
        body = dialect.body(model.id, request, max_tokens)
        price = self._roster.price(model)
        held = self._ledger.reserve(labels["account"], *worst_usage(_num_bytes(body), max_tokens), price)
        spend, start = held.worst, self._clock()
        try:
            details = {"model": model.id, "output": dialect.output, "worst": vars(held.worst)}
            question = {"request": request.to_dict()} if labels.get("attempt") == 1 else {}
            self._note({"kind": "request", **labels, **details, **question})
            try:
                data, invocation = self._endpoint.complete(body, max(deadline - start, 0.001), max_tokens)
                spend = _spend(data, held, price, prompt_bytes)
                if (failed := error_in(data)) is not None:
                    raise failed
                said, thought, calls, reason = read_choice(data)
                answer_bytes = _num_bytes([said, thought, *(call.arguments for call in calls)])
                spend = replace(_spend(data, held, price, prompt_bytes, answer_bytes), seconds=self._clock() - start)
            except Trouble as trouble:
                spend = spend if trouble.maybe_billed else Spend(calls=1)
                spend = replace(spend, seconds=self._clock() - start)
                event = {"kind": "failure", "text": trouble.text, "cure": trouble.cure, "spend": vars(spend)}
                self._note({**event, **labels})
                raise
            served = data.get("model")
            reply = Reply(
                text=said,
                thinking=thought,
                tool_calls=calls,
                finish_reason=reason,
                model=model.id,
                served_model=served if isinstance(served, str) else "",
                output=dialect.output if request.schema is not None else "text",
                invocation=invocation,
                spend=spend,
            )
            self._note(outcome_event(reply) | labels | {"spend": vars(spend)})
            return reply
        finally:
            self._ledger.settle(held, spend)

    def _speaks_otherwise(self, model: Model, request: Request, trouble: Trouble) -> bool:
        """Whether the refusal taught us another way to ask this model."""
        if trouble.cure != "otherwise" and trouble.status != 500:
            return False
        prompt_bytes = _num_bytes(request.messages)
        wanted = model.longest_answer(request.max_tokens, prompt_bytes)
        learnt = (self._dialects.get(model.id) or Dialect.of(model)).after(trouble.text, request, wanted, prompt_bytes)
        if learnt is not None:
            self._dialects[model.id] = learnt
        return learnt is not None

    def _pause(self, trouble: Trouble, failures: int, deadline: float, *, other: bool) -> float:
        """Return the seconds to wait before the next attempt, or raise where there will be none."""
        said = f"{self._endpoint.host}: {trouble.text}"
        if trouble.cure == "stop" or (trouble.cure == "quota" and trouble.reset is None):
            self._breaker.stop(said)
            raise LLMRefused(f"the language model serves nobody with this key at this address: {said}")
        if trouble.cure == "otherwise":
            raise LLMRefused(f"the language model refuses this request: {said}")
        now, first = self._clock(), self._patience.first_wait_seconds
        asked = trouble.wait_seconds if trouble.reset is None else max(trouble.reset - now, first)
        if asked is not None and not other and now + asked > deadline:
            self._breaker.rest(now + asked, said)
            raise LLMUnavailable(f"the language model asks to be left alone until {utc(now + asked)}: {said}")
        if failures >= self._patience.attempts:
            raise LLMUnavailable(f"the language model failed {failures} times in a row, last {said}")
        if other:
            return 0.0
        wait = first * 2.0 ** (failures - 1) if asked is None else asked
        if now + wait >= deadline:
            raise LLMUnavailable(f"the language model was too slow for its deadline: {said}")
        return wait

    def _note_models(self, models: Sequence[Model]) -> None:
        self._note({"kind": "models", "host": self._endpoint.host, "models": [model.to_dict() for model in models]})


def _num_bytes(data: object) -> int:
    return len(json.dumps(data, ensure_ascii=False).encode())


def _spend(data: object, held: Reservation, price: Price | None, prompt_bytes: int, answer_bytes: int = 0) -> Spend:
    """Return what an answer costs by its own count as far as that can be, or at worst where it does not count."""
    usage = usage_of(data.get("usage")) if isinstance(data, dict) else None
    if usage is None:
        return held.worst
    prompt, completion, reasoning = believable(usage, held.worst, prompt_bytes, answer_bytes)
    usd = 0.0 if price is None else price.usd(prompt, completion)
    return Spend(calls=1, prompt_tokens=prompt, completion_tokens=completion, reasoning_tokens=reasoning, usd=usd)
