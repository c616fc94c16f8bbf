"""Recorded answers: the same question to a language model is answered again without it, bit for bit.

A cassette is a file of JSON lines with the key of each request and what came of it; a run's ``llm.jsonl`` is one.
Temperature and changes at the provider make answers differ from day to day, so a recording is the only determinism. A
search asks the same questions again only where its trials end alike in order and in whole seconds.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

from synthcity.agents.messages import Reply
from synthcity.errors import LLMBudgetExceeded, LLMError, LLMRefused, LLMUnavailable, RunError
from synthcity.lines import Event, append_line, read_all

_ERRORS = {kind.__name__: kind for kind in (LLMBudgetExceeded, LLMRefused, LLMUnavailable)}


class Cassette:
    """Recorded outcomes by request key; equal requests get theirs in the order of the recording."""

    def __init__(self, path: Path | str) -> None:
        """Read ``path``, if it exists.

        Raises:
            RunError: the file is damaged.
        """
        self.path = Path(path)
        self._outcomes: dict[str, list[Reply | LLMError]] = defaultdict(list)
        self._played: Counter[str] = Counter()
        for number, event in enumerate(read_all(self.path), start=1):
            if event.get("kind") in ("reply", "gave_up"):
                key, outcome = self._read(number, event)
                self._outcomes[key].append(outcome)

    def next(self, key: str) -> Reply | LLMError | None:
        """Return the next recorded outcome of a request, or None where there is no further one."""
        outcomes, played = self._outcomes.get(key, []), self._played[key]
        if played >= len(outcomes):
            return None
        self._played[key] += 1
        return outcomes[played]

    def add(self, key: str, outcome: Reply | LLMError) -> None:
        """Append an outcome to the file; this process does not hear it again."""
        append_line(self.path, {"key": key, **outcome_event(outcome)})

    def _read(self, number: int, event: Event) -> tuple[str, Reply | LLMError]:
        try:
            key = event["key"]
            if not isinstance(key, str):
                raise TypeError(f"its key is {key!r}")
            if event["kind"] == "reply":
                return key, Reply.from_dict(event["reply"])
            return key, _ERRORS.get(event["error"], LLMError)(event["text"])
        except (KeyError, TypeError) as error:
            raise RunError(f"{self.path} holds no recorded answer at line {number}: {error}") from error


def outcome_event(outcome: Reply | LLMError) -> dict[str, object]:
    """Return what a transcript and a cassette say of a question's outcome."""
    if isinstance(outcome, Reply):
        return {"kind": "reply", "reply": outcome.to_dict()}
    return {"kind": "gave_up", "error": type(outcome).__name__, "text": str(outcome)}
