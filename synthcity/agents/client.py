"""The client: one question to a language model, answered within its budget and deadline or refused with a reason.

``complete`` blocks, so callers ask on a thread of their own. Everything that can go wrong on the way ends as one of
the errors below ``LLMError``; a caller that catches it goes on without the model, and ``availability`` says why.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from synthcity.agents.asking.breaker import Availability
from synthcity.agents.asking.live import Live
from synthcity.agents.asking.redact import Redactor
from synthcity.agents.config import LLMConfig
from synthcity.agents.ledger import Ledger
from synthcity.agents.messages import Labels, Message, Reply, Request
from synthcity.agents.replay import Cassette, outcome_event
from synthcity.agents.transcript import NAME, spent
from synthcity.errors import ConfigError, LLMError, LLMRefused, RunError
from synthcity.lines import append_line, read_all
from synthcity.settings import Settings


class LLMClient:
    """A language model behind a budget. Thread-safe. Use as a context manager.

    A pickle holds neither key nor connections; unpickled, it reads the key from the environment and the money spent
    from the transcript.
    """

    def __init__(
        self,
        settings: Settings,
        config: LLMConfig | None = None,
        *,
        folder: Path | None = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], object] | None = None,
        again: bool | str = False,
    ) -> None:
        """Open nothing yet.

        Args:
            settings: endpoint and key.
            config: everything else.
            folder: of the run; its ``llm.jsonl`` gets every exchange, and what it says is spent counts. None writes
                nothing.
            clock: unix seconds.
            sleep: waits so many seconds; by default until ``close`` at most.
            again: answer from the run's own transcript what it was asked in an earlier session, each answer once: it
                was paid for then, and is neither asked nor written down a second time. A text is the one purpose that
                this is for; others ask anew.

        Raises:
            ConfigError: endpoint or key cannot be used, or the only answers are to come from a file that is not there.
            RunError: the transcript or the cassette is damaged.
        """
        self.config = LLMConfig() if config is None else config
        self.ledger = Ledger(self.config.caps)
        self._settings, self._folder, self._clock = settings, folder, clock
        self._redactor = Redactor.of(settings)
        self._transcript = None if folder is None else folder / NAME
        self._live = Live(settings, self.config, self.ledger, self._redactor, self._note, clock, sleep)
        if self.config.mode == "replay-or-fail" and not Path(self.config.cassette or "").exists():
            raise ConfigError(f"llm.cassette {self.config.cassette!r} does not exist; record it with llm.mode: record")
        self._cassette = Cassette(self.config.cassette) if self.config.cassette else None
        self._answered = Cassette(self._transcript) if again and self._transcript is not None else None
        self._again_for = again if isinstance(again, str) else None
        self._earlier: dict[str, list[Reply]] = {}
        self._next_call = self._restore()
        self._lock = threading.Lock()

    def __enter__(self) -> LLMClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (self._settings, self.config, self._folder)

    @property
    def availability(self) -> Availability:
        """Whether a question may be asked now, else why not and until when: an arm's state in one value."""
        return Availability(True) if self.config.mode == "replay-or-fail" else self._live.availability

    def close(self) -> None:
        """Close the connections and end all pauses; whoever is waiting gets LLMUnavailable.

        A request that is on its way is not cut short: ask on daemon threads.
        """
        self._live.close()

    def earlier(self, account: str) -> list[Reply]:
        """Return what an account was answered in earlier sessions of the run, oldest first."""
        return list(self._earlier.get(account, ()))

    def redact(self, data: object) -> Any:
        """Return plain JSON data as it would be sent: without secrets."""
        return self._redactor.data(data)

    def complete(
        self,
        messages: Sequence[Message],
        *,
        account: str,
        purpose: str = "ask",
        schema: Mapping[str, object] | None = None,
        tools: Sequence[Mapping[str, object]] = (),
        temperature: float | None = None,
        max_tokens: int | None = None,
        models: tuple[str, ...] = (),
        prompt_version: str = "",
        seconds: float | None = None,
    ) -> Reply:
        """Ask one question.

        Args:
            messages: the chat so far.
            account: who pays: a proposal has one with all its repairs.
            purpose: stands beside the exchange in the transcript ("propose", "repair", "debug", ...).
            schema: the form that is asked for by the best means the model has; the answer is not checked here.
            tools: definitions of what it may call.
            temperature: default ``config.temperature``.
            max_tokens: default ``config.max_tokens``.
            models: default ``config.models``.
            prompt_version: of the prompt files that the messages were made from.
            seconds: that it may take with all attempts and pauses, where ``patience.deadline_seconds`` are more.

        Raises:
            LLMUnavailable: it may answer later.
            LLMRefused: it will not answer this.
            LLMBudgetExceeded: the worst case of the call passes a cap.
        """
        request = Request(
            messages=tuple(self.redact(messages)),
            schema=schema,
            tools=tuple(tools),
            temperature=self.config.temperature if temperature is None else temperature,
            max_tokens=self.config.max_tokens if max_tokens is None else max_tokens,
            models=models or self.config.models,
            prompt_version=prompt_version,
        )
        with self._lock:
            is_again = self._answered is not None and self._again_for in (None, purpose)
            before = self._answered.next(request.key) if self._answered is not None and is_again else None
        if isinstance(before, Reply):
            return before
        with self._lock:
            call, self._next_call = self._next_call, self._next_call + 1
        labels = Labels(call=call, account=self._redactor.text(account), purpose=purpose, key=request.key)
        recorded = self._recorded(request.key)
        if isinstance(recorded, Reply):
            return self._play(recorded, labels)
        try:
            if recorded is not None:
                raise recorded
            reply = self._live.ask(request, labels, seconds)
        except LLMError as error:
            self._note({**outcome_event(error), **labels})
            self._record(request.key, error)
            raise
        self._record(request.key, reply)
        return reply

    def _recorded(self, key: str) -> Reply | LLMError | None:
        if self._cassette is None or not self.config.mode.startswith("replay"):
            return None
        with self._lock:
            outcome = self._cassette.next(key)
        if self.config.mode == "replay-or-fail":
            return outcome or LLMRefused(
                f"{self._cassette.path} holds no answer to this request ({key[:12]}); record it with llm.mode: record, "
                "or have it asked with llm.mode: replay"
            )
        return outcome if isinstance(outcome, Reply) else None  # an outage need not repeat itself

    def _play(self, outcome: Reply, labels: Labels) -> Reply:
        reply = outcome.as_replayed()
        self.ledger.charge(labels["account"], reply.spend)
        self._note({**outcome_event(reply), **labels, "spend": vars(reply.spend)})
        return reply

    def _record(self, key: str, outcome: Reply | LLMError) -> None:
        if self._cassette is not None and self.config.mode in ("record", "replay"):
            self._cassette.add(key, outcome)

    def _note(self, event: Mapping[str, object]) -> None:
        if self._transcript is not None:
            append_line(self._transcript, self._redactor.data({"time": self._clock(), **event}))

    def _restore(self) -> int:
        """Charge what the transcript says is spent and return the number of the next call."""
        if self._transcript is None:
            return 0
        events = read_all(self._transcript)
        try:
            for account, spend in spent(events).items():
                self.ledger.charge(account, spend)
            for event in events:
                if event.get("kind") == "reply":
                    self._earlier.setdefault(event["account"], []).append(Reply.from_dict(event["reply"]))
            return max((event["call"] for event in events if "call" in event), default=-1) + 1
        except (KeyError, TypeError) as error:
            raise RunError(f"{self._transcript} is no transcript of a language model: {error}") from error


def _rebuild(settings: Settings, config: LLMConfig, folder: Path | None) -> LLMClient:
    return LLMClient(settings, config, folder=folder)
