"""The one queue of gated candidates, and the thread that keeps it filled.

Ray's loop only ever pops: proposing, gating and journalling happen on a thread of their own. In the free mode the
queue is topped up to one waiting candidate for each that trains, so that proposals know as much as possible and keep
ahead of a cluster that grows; what Ray was handed and has no worker for yet is its demand for machines. An arm that is
still thinking loses its turn to another. In the deterministic mode candidates come in generations: a generation is
proposed, one after the other, from the results of all earlier generations and of nothing else, whichever of its trials
was faster.
"""

from __future__ import annotations

import threading
import traceback
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from synthcity.errors import LLMError, LLMUnavailable
from synthcity.search.arms import CLOSED, DEBUGGER, LLM, OPEN, ArmState
from synthcity.search.candidates.candidate import Candidate, Proposal
from synthcity.search.config import BudgetConfig
from synthcity.search.debugger import Debugger
from synthcity.search.gate import Gate, Rejected
from synthcity.search.journal.diagnosis import Diagnosis
from synthcity.search.journal.events import Stall
from synthcity.search.journal.history import RUNNING, TrialHistory
from synthcity.search.journal.recorder import Recorder
from synthcity.search.proposers import BackgroundProposer, DefaultsProposer, Proposer
from synthcity.search.proposers.portfolio import Portfolio
from synthcity.search.proposers.stall import HANDED_OVER, again, standing
from synthcity.search.trials.leaders import doubted
from synthcity.search.trials.patience import fruitless

_MAX_REJECTIONS = 50  # in a row from one arm: it has nothing new to say
_MAX_ERRORS = 3  # in a row
_MAX_LLM_ERRORS = 10  # a model that spoils one answer in three spoils three in a row soon enough
_AHEAD = 2  # waiting candidates while fewer train
_PATIENCE_SECONDS = 0.2  # between two looks at arms that think, while no other is open


class TrialQueue:
    """Hands out candidates; proposes new ones until the trial budget is used or ``close`` is called."""

    def __init__(
        self,
        *,
        recorder: Recorder,
        gate: Gate,
        defaults: DefaultsProposer,
        arms: Mapping[str, Proposer],
        budget: BudgetConfig,
        workers: int,
        debugger: Debugger | None = None,
    ) -> None:
        self._debugger = debugger
        self._recorder = recorder
        self._gate = gate
        self._proposers: dict[str, Proposer] = {defaults.name: defaults, **arms}
        self._first = defaults.name
        self._arms = tuple(arms)
        self._portfolio = Portfolio(budget.arms, cost=not budget.deterministic, llm_ceiling=budget.llm_ceiling)
        self._budget = budget
        self._workers = workers
        self._changed = threading.Condition()
        self._closed = False
        self._fruitless = 0  # networks in a row that were no gain, where anybody asks
        self._exhausted = False
        self._open = [name for name in self._proposers if self._may_open(name)]
        self._rejections: Counter[str] = Counter()
        self._errors: Counter[str] = Counter()
        unfinished = (record.candidate for record in recorder.history.records if not record.finished)
        self._queue: deque[Candidate] = deque(unfinished)
        self._thread = threading.Thread(target=self._run, name="synthcity-feed", daemon=True)
        self.failure: BaseException | None = None

    def start(self) -> None:
        """Begin to fill the queue, unless that was begun."""
        if self._thread.ident is None:
            self._thread.start()

    def pop(self) -> Candidate | None:
        """Return the next candidate, None while there is none. Never waits for a proposer."""
        with self._changed:
            if self._closed or not self._queue:
                return None
            candidate = self._queue.popleft()
            self._changed.notify_all()
            return candidate

    def retry(self, candidate: Candidate) -> None:
        """Queue a candidate again, first of all, because its worker was lost."""
        with self._changed:
            self._queue.appendleft(candidate)

    def put_back(self) -> None:
        """Queue again, first of all, what was handed out and did not finish."""
        with self._changed:
            queued = {candidate.id for candidate in self._queue}
            lost = [r.candidate for r in self._recorder.history.records if not r.finished]
            self._queue.extendleft(c for c in reversed(lost) if c.id not in queued)

    def wake(self) -> None:
        """Say that a trial has ended."""
        with self._changed:
            self._changed.notify_all()

    def fail(self, error: BaseException) -> None:
        """Hand out nothing more, since the search cannot go on."""
        self.failure = self.failure or error
        self.close()

    @property
    def done(self) -> bool:
        """Whether nothing is queued and nothing more will be."""
        with self._changed:
            return self._closed or (self._exhausted and not self._queue)

    def close(self) -> None:
        """Hand out nothing more; what is queued stays so in the journal."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def join(self) -> None:
        """Close and wait for the thread to end."""
        self.close()
        if self._thread.is_alive():
            self._thread.join()
        for proposer in self._proposers.values():
            if isinstance(proposer, BackgroundProposer):
                proposer.close()
        if self._debugger is not None:
            self._debugger.close()

    def settle(self) -> None:
        """Diagnose the failures that nobody works on any more, once all trials have ended; no trial is spent."""
        while self._debugger and (step := self._debugger.next(self._recorder.history, over=self._why_over())):
            assert isinstance(step, Diagnosis)
            self._recorder.emit("diagnosis", **step.to_dict())

    def _why_over(self) -> str:
        if len(self._recorder.history.trials) >= self._budget.trials:
            return "the trial budget was used up"
        if self._is_fruitless:
            return f"none of the last {self._fruitless} networks was a gain beyond noise"
        if not self._arms:
            return "a search without arms trains nothing but what was written by hand"
        return "the time budget was used up" if self._open else "no proposer was left"

    def _run(self) -> None:
        try:
            while self._wait_for_room():
                self._note_arm_states()
                if not self._add_one():
                    with self._changed:
                        self._changed.wait(timeout=_PATIENCE_SECONDS)
            if self.failure is None and self._is_fruitless:
                why = f"none of the last {self._fruitless} was a gain beyond noise (search.patience)"
                self._recorder.emit("stage", name="patience", message=f"no new network: {why}")
        except BaseException as error:  # noqa: BLE001 - kept for the main thread, which raises it
            self.failure = error
        with self._changed:
            self._exhausted = True

    def _wait_for_room(self) -> bool:
        """Wait until a candidate is wanted; False once none ever will be."""
        with self._changed:
            while True:
                history = self._recorder.history
                if self._closed or not self._open or len(history.trials) >= self._budget.trials:
                    return False
                if self._patience_ends(history):
                    return False
                if self._wanted(history):
                    return True
                self._changed.wait(timeout=1.0)

    def _patience_ends(self, history: TrialHistory) -> bool:
        if self._budget.patience is None or not self._arms or self._first in self._open:
            return False
        if self._budget.deterministic:
            history = history.hidden_from(self._generation_start(history))
        self._fruitless = fruitless(history)
        return self._is_fruitless

    @property
    def _is_fruitless(self) -> bool:
        return self._budget.patience is not None and self._fruitless >= self._budget.patience

    def _wanted(self, history: TrialHistory) -> bool:
        if not self._budget.deterministic:
            training = sum(record.status == RUNNING for record in history.records)
            return len(self._queue) < min(self._workers, max(_AHEAD, training))
        first = self._generation_start(history)
        return all(record.finished for record in history.records if record.candidate.index < first)

    def _generation_start(self, history: TrialHistory) -> int:
        return len(history.trials) - len(history.trials) % self._budget.generation

    def _add_one(self) -> bool:
        """Ask one arm after the other for a candidate; False when all that are open are still thinking."""
        history = self._recorder.history
        if self._budget.deterministic:
            history = history.hidden_from(self._generation_start(history))
        if self._repair(history):
            return True
        ready = [name for name in self._open if self._state(name).state == OPEN]
        if any(name.startswith(LLM) for name in self._arms) and self._first not in self._open:
            found = standing(history, self._budget.trials)
            self._note_stall(found.level, found.since, found.noise)
            if found.rerun is not None:
                self._queue_up(again(found.rerun, history))
                return True
            if found.level == HANDED_OVER:
                ready = [name for name in ready if not name.startswith(LLM)] or ready
        if self._arms and self._first not in self._open and (leader := doubted(history)) is not None:
            self._queue_up(again(leader, history))
            return True
        while ready:
            source = self._first if self._first in ready else self._portfolio.choose(history, ready)
            proposal = self._ask(source, history)
            if proposal is not None:
                self._admit(proposal, source, history)
                return True
            if not isinstance(self._proposers[source], BackgroundProposer):
                return True
            ready.remove(source)
        return not self._open

    def _repair(self, history: TrialHistory) -> bool:
        """Let the debugger take one step before anyone proposes; False when it has none to take."""
        step = None if self._debugger is None else self._debugger.next(history)
        if isinstance(step, Diagnosis):
            self._recorder.emit("diagnosis", **step.to_dict())
        elif step is not None:
            self._admit(step, DEBUGGER, history)
        return step is not None

    def _admit(self, proposal: Proposal, source: str, history: TrialHistory) -> None:
        try:
            candidate = self._gate.admit(proposal, source, history)
        except Rejected as rejection:
            self._recorder.emit(
                "rejected",
                source=source,
                stage=rejection.stage,
                reason=str(rejection),
                config=proposal.config,
                parent=proposal.parent,
                usd=proposal.usd,
                step_seconds=rejection.step_seconds,
            )
            self._rejections[source] += 1
            if source in self._arms and self._rejections[source] >= _MAX_REJECTIONS:
                self._close_arm(source, f"{_MAX_REJECTIONS} refusals in a row, the last: {rejection}")
            return
        self._rejections[source] = 0
        self._queue_up(candidate)

    def _queue_up(self, candidate: Candidate) -> None:
        with self._changed:
            if self._closed:
                return
            candidate = replace(candidate, arms={name: self._state(name).state for name in self._arms})
            self._recorder.emit("candidate", **candidate.to_dict())
            self._queue.append(candidate)

    def _ask(self, source: str, history: TrialHistory) -> Proposal | None:
        # numbered by everything proposed so far, so that a resumed search draws on, not again
        number = len(history.trials) + len(history.rejections)
        rng = np.random.default_rng([self._budget.seed, number])
        try:
            proposals = self._proposers[source].propose(1, history, rng)
        except Exception as error:  # noqa: BLE001 - a proposer may fail in any way; recorded, and closed if it goes on
            text = traceback.format_exc(limit=-5)
            self._recorder.emit("proposer_failed", source=source, error=f"{error}", traceback=text)
            if not isinstance(error, LLMUnavailable):  # it rests, and may answer later
                self._errors[source] += 1
            most = _MAX_LLM_ERRORS if isinstance(error, LLMError) else _MAX_ERRORS
            if self._errors[source] >= most:
                self._close_arm(source, f"{most} errors in a row, the last: {error}")
            return None
        if not proposals and isinstance(self._proposers[source], BackgroundProposer):
            return None
        self._errors[source] = 0
        if not proposals:
            if source == self._first:
                self._open.remove(source)  # the hand-written list is meant to end
            else:
                self._close_arm(source, "it had nothing more to propose")
            return None
        return proposals[0]

    def _note_stall(self, level: int, since: int, noise: float | None) -> None:
        last = self._recorder.last(Stall)
        if level != (last["level"] if last else 0):
            self._recorder.emit("stall", level=level, since=since, noise=noise)

    def _close_arm(self, source: str, reason: str) -> None:
        self._open.remove(source)
        self._recorder.emit("arm_state", source=source, state=CLOSED, reason=reason)

    def _state(self, name: str) -> ArmState:
        return self._recorder.history.arms.get(name, ArmState())

    def _may_open(self, name: str) -> bool:
        """What was closed stays so when a search is resumed, unless the reason may have gone since."""
        return self._state(name).state != CLOSED or isinstance(self._proposers[name], BackgroundProposer)

    def _note_arm_states(self) -> None:
        for name in list(self._open):
            proposer = self._proposers[name]
            if not isinstance(proposer, BackgroundProposer):
                continue
            standing = proposer.standing
            if standing != self._state(name):
                self._recorder.emit("arm_state", source=name, state=standing.state, reason=standing.reason)
            if standing.state == CLOSED:
                self._open.remove(name)
