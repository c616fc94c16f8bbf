"""Arms that ask a language model, each on a daemon thread of its own: nobody ever waits for an answer.

``llm.refine`` changes one or two things of a good trial, ``llm.structure`` asks for combinations of blocks and heads
that were not tried. Both are told the same briefing and answer in the same form. What the gate's cheap checks refuse
goes back once with the reasons; what is refused after that stands in the journal like any other refusal.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from synthcity.agents.client import LLMClient
from synthcity.agents.messages import Message
from synthcity.agents.prompts import render
from synthcity.agents.structured import complete_json
from synthcity.errors import LLMBudgetExceeded
from synthcity.search.arms import CLOSED, RESTING, ArmState
from synthcity.search.briefing import briefing
from synthcity.search.candidate import Proposal
from synthcity.search.contract import MAX_PROPOSALS, proposals_schema
from synthcity.search.gate import Gate, Rejected
from synthcity.search.history import History
from synthcity.search.space import Space

RULES: Mapping[str, str] = {
    "llm.refine": "Change one or two things of one of the best trials, and name that trial as the parent.",
    "llm.structure": "Propose combinations of blocks and head that were not tried yet; tuning numbers is others' work.",
}


@dataclass(frozen=True, kw_only=True)
class Planner:
    """What all arms of a search that ask a language model share.

    ``task`` says what is forecast and how it is judged, ``budget`` what is left of the search.
    """

    client: LLMClient
    gate: Gate
    task: str
    budget: Callable[[History], str]
    count: int = MAX_PROPOSALS


class LLMProposer:
    """One arm; ``name`` is one of ``RULES``. See ``BackgroundProposer`` for the contract."""

    def __init__(self, name: str, space: Space, planner: Planner) -> None:
        self.name = name
        self._space, self._planner = space, planner
        self._count = max(1, min(planner.count, MAX_PROPOSALS))
        self._ready: deque[Proposal] = deque()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._error: Exception | None = None
        self._closed = ""

    @property
    def standing(self) -> ArmState:
        """Whether the model may be asked now; what it has said already is worth a turn even while it rests."""
        if self._closed:
            return ArmState(state=CLOSED, reason=self._closed)
        found = self._planner.client.availability
        if found.ready or self._ready or self._error:
            return ArmState()
        return ArmState(state=CLOSED if found.until is None else RESTING, reason=str(found))

    def propose(self, count: int, history: History, rng: np.random.Generator) -> list[Proposal]:
        """Return what is ready, and begin to ask for more where nothing is; never wait."""
        with self._lock:
            if self._error is not None:
                error, self._error = self._error, None
                raise error
            ready = [self._ready.popleft() for _ in range(min(count, len(self._ready)))]
            thinking = self._thread is not None and self._thread.is_alive()
            if not ready and not thinking and not self._closed:
                self._thread = threading.Thread(target=self._think, args=(history,), name=self.name, daemon=True)
                self._thread.start()
        return ready

    def close(self) -> None:
        """Ask nothing more; an answer on its way is thrown away."""
        with self._lock:
            self._closed = self._closed or "the search is over"

    def _think(self, history: History) -> None:
        try:
            proposals = self._ask(history)
        except LLMBudgetExceeded as error:
            with self._lock:
                self._closed = self._closed or str(error)
        except Exception as error:  # noqa: BLE001 - raised by the next call of propose
            with self._lock:
                self._error = error
        else:
            with self._lock:
                self._ready.extend(() if self._closed else proposals)

    def _ask(self, history: History) -> list[Proposal]:
        """Ask once, and once more with the gate's reasons where it refuses something."""
        planner, count = self._planner, self._count
        values = briefing(
            self._space,
            history,
            task=planner.task,
            budget=planner.budget(history),
            rule=RULES[self.name],
            count=count,
        )
        prompt = render("planner", values)
        messages: list[Message] = [{"role": "user", "content": prompt.text}]
        account = f"{self.name}-{history.proposals(self.name)}"
        before = planner.client.ledger.account(account).usd

        def ask(purpose: str) -> list[dict[str, Any]]:
            schema = proposals_schema(self._space, count)
            done = complete_json(
                planner.client, messages, schema, account=account, purpose=purpose, prompt_version=prompt.version
            )
            found: list[dict[str, Any]] = done.value["proposals"]
            return found

        answers = ask("propose")
        refused = self._refusals(answers, history)
        if refused:
            good = [answer for at, answer in enumerate(answers) if at not in refused]
            messages += _complaint(answers, refused)
            answers = [*good, *ask("propose:gate")][:MAX_PROPOSALS]
        usd = (planner.client.ledger.account(account).usd - before) / max(1, len(answers))
        return [_proposal(answer, history, usd) for answer in answers]

    def _refusals(self, answers: Sequence[Mapping[str, Any]], history: History) -> dict[int, str]:
        refused = {}
        for at, answer in enumerate(answers):
            try:
                self._planner.gate.screen(_proposal(answer, history, 0.0), history)
            except Rejected as rejection:
                refused[at] = str(rejection)
        return refused


def _proposal(answer: Mapping[str, Any], history: History, usd: float) -> Proposal:
    parent = answer["parent"] if answer["parent"] in history.trials else None
    rationale = f"{answer['rationale']} (predicted {answer['predicted_score']:.1f})"
    return Proposal(config=answer["config"], rationale=rationale, parent=parent, usd=usd)


def _complaint(answers: Sequence[Mapping[str, Any]], refused: Mapping[int, str]) -> list[Message]:
    reasons = [f"- proposal {at + 1}: {reason}" for at, reason in refused.items()]
    text = "\n".join(["These are refused:", *reasons, "Answer again with others in their place, and only those."])
    said = {"role": "assistant", "content": json.dumps({"proposals": list(answers)})}
    return [said, {"role": "user", "content": text}]
