"""Arms that ask a language model, each on a daemon thread of its own: nobody ever waits for an answer.

``llm.refine`` changes one or two things of a good trial, ``llm.structure`` asks for combinations of blocks and heads
that were not tried. Both are told the same briefing and answer in the same form, and never get the same question; what
one has said and waits is told to the other. What the gate's cheap checks refuse
goes back once with the reasons; what is refused after that stands in the journal like any other refusal.

An answer is journalled before anything of it is handed out, and what waits is read from the history: a search that is
killed and resumed asks for nothing that is paid for. An answer that came and was not journalled any more is found in
the transcript, under the account of its question.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np

from synthcity.agents.asking.answers import check
from synthcity.agents.client import LLMClient
from synthcity.agents.messages import Message
from synthcity.agents.prompts import render
from synthcity.agents.structured import complete_json
from synthcity.errors import LLMBudgetExceeded, LLMError
from synthcity.search.arms import CLOSED, RESTING, ArmState
from synthcity.search.candidates.candidate import Proposal
from synthcity.search.candidates.contract import MAX_PROPOSALS, PlannedProposal, proposals_schema
from synthcity.search.candidates.space import Space
from synthcity.search.gate import Gate, Rejected
from synthcity.search.journal.history import TrialHistory
from synthcity.search.journal.recorder import Recorder
from synthcity.search.proposers.briefing import briefing
from synthcity.search.proposers.stall import HIDDEN, STRONGER, WARMER

STALLED: Mapping[str, str] = {
    "llm.refine": "The search no longer gains by small steps. Take a trial from the middle of the ranking as the "
    "parent, and change its blocks or its head.",
    "llm.structure": "The search no longer gains. Propose blocks and heads that none of the best trials has.",
}
"""What each is asked for while the search stalls: never the same of both."""

RULES: Mapping[str, str] = {
    "llm.refine": "Change one or two things of one of the best trials, and name that trial as the parent.",
    "llm.structure": "Propose combinations of blocks and head that were not tried yet; tuning numbers is others' work.",
}


_WARMER_BY = 0.2
_HIDDEN_BEST = 3


@dataclass(frozen=True, kw_only=True)
class Planner:
    """What all arms of a search that ask a language model share.

    ``task`` says what is forecast and how it is judged, ``budget`` what is left of the search, ``stall`` how far the
    answer to a stall has gone (see ``stall.py``), ``earlier`` what is known from other runs.
    """

    client: LLMClient
    gate: Gate
    recorder: Recorder
    task: str
    budget: Callable[[TrialHistory], str]
    count: int = MAX_PROPOSALS
    stall: Callable[[TrialHistory], int] = lambda history: 0
    earlier: str = ""


class LLMProposer:
    """One arm; ``name`` is one of ``RULES``. See ``BackgroundProposer`` for the contract."""

    def __init__(self, name: str, space: Space, planner: Planner) -> None:
        self.name = name
        self._space, self._planner = space, planner
        self._count = max(1, min(planner.count, MAX_PROPOSALS))
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._asked = 0  # questions begun; one whose answer a history does not show yet must not be asked again
        self._error: Exception | None = None
        self._closed = ""
        self._asked_stronger = False  # in this stall

    @property
    def standing(self) -> ArmState:
        """Whether the model may be asked now; what it has said already is worth a turn even while it is away."""
        if self._error or self._planner.recorder.history.waiting(self.name):
            return ArmState()
        if self._closed:
            return ArmState(state=CLOSED, reason=self._closed)
        found = self._planner.client.availability
        if found.ready:
            return ArmState()
        return ArmState(state=CLOSED if found.until is None else RESTING, reason=str(found))

    def propose(self, count: int, history: TrialHistory, rng: np.random.Generator) -> list[Proposal]:
        """Return what waits, and begin to ask for more where nothing does; never wait."""
        with self._lock:
            if self._error is not None:
                error, self._error = self._error, None
                raise error
            waiting = history.waiting(self.name)
            thinking = self._thread is not None and self._thread.is_alive()
            stale = history.questions(self.name) < self._asked
            if not (waiting or thinking or stale or self._closed):
                self._asked = history.questions(self.name) + 1
                self._thread = threading.Thread(target=self._think, args=(history,), name=self.name, daemon=True)
                self._thread.start()
        return waiting[:count]

    def close(self) -> None:
        """Ask nothing more; an answer on its way is left to the transcript."""
        with self._lock:
            self._closed = self._closed or "the search is over"

    def _think(self, history: TrialHistory) -> None:
        account = f"{self.name}-{history.questions(self.name)}"
        answers: list[PlannedProposal] = []
        failure: Exception | None = None
        try:
            answers, failure = self._ask(history, account)
        except Exception as error:  # noqa: BLE001 - raised by the next call of propose
            failure = error
        spend = self._planner.client.ledger.account(account)
        with self._lock:
            if self._closed:
                return
            if isinstance(failure, LLMBudgetExceeded) and not spend.calls:
                self._closed = str(failure)  # not even one call can be paid
            elif not answers:
                self._error = failure
            share = spend.usd / max(1, len(answers))
            proposals = [asdict(_proposal(answer, history, share)) for answer in answers]
            self._note(history, proposals, spend.usd, "" if failure is None else str(failure))

    def _note(self, history: TrialHistory, proposals: Sequence[Mapping[str, object]], usd: float, error: str) -> None:
        try:
            number = history.questions(self.name)
            self._planner.recorder.emit(
                "answered", source=self.name, question=number, proposals=proposals, usd=usd, error=error
            )
        except Exception as failure:  # noqa: BLE001 - the recorder keeps it, and the search ends by it
            self._error = failure

    def _ask(self, history: TrialHistory, account: str) -> tuple[list[PlannedProposal], LLMError | None]:
        """Return the proposals of one question, and what kept its last round from being heard.

        Where the gate refuses something it is asked once more; without an answer to that, what was good stays good.
        """
        planner, count = self._planner, self._count
        schema = proposals_schema(self._space, count)
        if earlier := self._earlier(account, schema):
            return earlier, None
        level = planner.stall(history)
        values = briefing(
            self._space,
            _without_best(history) if level >= HIDDEN else history,
            task=planner.task,
            budget=planner.budget(history),
            rule=(STALLED if level >= WARMER else RULES)[self.name],
            count=count,
            earlier=planner.earlier,
        )
        stronger = level >= STRONGER and not self._asked_stronger
        self._asked_stronger = level >= STRONGER
        prompt = render("planner", values)
        messages: list[Message] = [{"role": "user", "content": prompt.text}]

        def ask(purpose: str) -> list[PlannedProposal]:
            done = complete_json(
                planner.client,
                messages,
                schema,
                account=account,
                purpose=purpose,
                temperature=self._temperature(level),
                models=planner.client.config.stronger if stronger else (),
                prompt_version=prompt.version,
            )
            found: list[PlannedProposal] = done.value["proposals"]
            return found

        answers = ask("propose")
        refused = self._refusals(answers, history)
        if not refused:
            return answers, None
        good = [answer for at, answer in enumerate(answers) if at not in refused]
        messages += _complaint(answers, refused)
        try:
            return [*good, *ask("propose:gate")][:MAX_PROPOSALS], None
        except LLMError as error:
            return good, error

    def _earlier(self, account: str, schema: Mapping[str, object]) -> list[PlannedProposal]:
        """Return what a session that was cut short was told and did not journal."""
        found: list[PlannedProposal] = []
        for reply in self._planner.client.earlier(account):
            value, errors = check(reply.text, schema)
            found += [] if errors else value["proposals"]
        return found

    def _temperature(self, level: int) -> float | None:
        base = self._planner.client.config.temperature
        return None if base is None else base + _WARMER_BY * (level >= WARMER)

    def _refusals(self, answers: Sequence[PlannedProposal], history: TrialHistory) -> dict[int, str]:
        refused = {}
        for at, answer in enumerate(answers):
            try:
                self._planner.gate.screen(_proposal(answer, history, 0.0), history)
            except Rejected as rejection:
                refused[at] = str(rejection)
        return refused


def _without_best(history: TrialHistory) -> TrialHistory:
    """Leave the best trials out, so that something else is begun from; the gate still knows them."""
    best = {record.candidate.hash for record in history.ranked[:_HIDDEN_BEST]}  # all seeds of a network
    shown = {name: record for name, record in history.trials.items() if record.candidate.hash not in best}
    return replace(history, trials=shown)


def _proposal(answer: PlannedProposal, history: TrialHistory, usd: float) -> Proposal:
    parent = answer["parent"] if answer["parent"] in history.trials else None
    rationale = f"{answer['rationale']} (predicted {answer['predicted_score']:.1f})"
    return Proposal(config=answer["config"], rationale=rationale, parent=parent, usd=usd)


def _complaint(answers: Sequence[PlannedProposal], refused: Mapping[int, str]) -> list[Message]:
    reasons = [f"- proposal {at + 1}: {reason}" for at, reason in refused.items()]
    text = "\n".join(["These are refused:", *reasons, "Answer again with others in their place, and only those."])
    said = {"role": "assistant", "content": json.dumps({"proposals": list(answers)})}
    return [said, {"role": "user", "content": text}]
