"""What happens next to failed trials, as a function of the history; nothing of it can loop.

A trial and its repairs are a lineage of at most ``MAX_DEPTH`` repairs. A failure that comes back unchanged after a
patch (by its fingerprint, see ``failure``) is asked about more warmly, once; coming back again it is given up, as is
what was given up twice elsewhere. Repairs never take more than a quarter of the trials.
"""

from __future__ import annotations

import math

from synthcity.agents.client import LLMClient
from synthcity.search.arms import CLOSED, DEBUGGER
from synthcity.search.candidates.candidate import Proposal
from synthcity.search.candidates.space import Space
from synthcity.search.config import BudgetConfig
from synthcity.search.debugger.catalogue import PATCH, Known, find
from synthcity.search.debugger.consult import Consultant
from synthcity.search.debugger.failure import Failure
from synthcity.search.debugger.patch import apply, describe
from synthcity.search.debugger.tools import Case
from synthcity.search.gate import Gate
from synthcity.search.journal.diagnosis import BUDGET, CATALOGUE, LEAVE, MODEL, Diagnosis, Patch
from synthcity.search.journal.history import FAILED, TrialHistory, TrialRecord

MAX_DEPTH = 3
_MAX_REFUSALS = 3  # of patches of one trial by the gate
_MAX_RETURNS = 2  # of the same failure in one lineage
_GIVEN_UP = 2  # lineages that ended with a failure, after which nobody asks about it any more
_SHARE = 0.25  # of the trials

Step = Proposal | Diagnosis


class Debugger:
    """Repairs failed trials, oldest first; ``consultant`` asks a language model, None where there is none."""

    def __init__(self, *, space: Space, gate: Gate, trials: int, consultant: Consultant | None = None) -> None:
        self._space, self._gate = space, gate
        self._most = math.ceil(_SHARE * trials)
        self._consultant = consultant

    @classmethod
    def of(cls, budget: BudgetConfig, space: Space, gate: Gate, client: LLMClient | None, task: str) -> Debugger | None:
        """Return the debugger that a budget asks for, None where it is off; ``client`` is asked about ``task``."""
        if budget.debugger == "off":
            return None
        consultant = None if client is None or budget.debugger != "llm" else Consultant(client, task)
        return cls(space=space, gate=gate, trials=budget.trials, consultant=consultant)

    def next(self, history: TrialHistory, *, over: str = "") -> Step | None:
        """Return the next patch or diagnosis, None when there is nothing to do now; never wait.

        ``over`` says why no trial is left for a repair, once that is so: then there are diagnoses only, and no model
        is asked.
        """
        repaired = {record.candidate.parent for record in _repairs(history)}
        for record in history.records:
            ended = record.diagnosis is not None and (over or record.diagnosis.by != BUDGET)
            if record.status == FAILED and not ended and record.candidate.id not in repaired:
                step = self._step(record, history, over)
                if step is not None:
                    return step
        return None

    def close(self) -> None:
        """Ask no model any more."""
        if self._consultant is not None:
            self._consultant.close()

    def _step(self, record: TrialRecord, history: TrialHistory, over: str) -> Step | None:
        failure = Failure.of(record.failure)
        known = find(failure)
        if known is not None and known.action != PATCH:
            return _diagnosis(record, failure, known, known.action, CATALOGUE, known.meaning)
        case = Case.of(record, history, self._space, self._gate)
        returns = sum(Failure.of(each.failure).fingerprint == failure.fingerprint for each in case.lineage[:-1])
        bound = self._bound(failure, case.lineage, len(case.refused), returns, history)
        if bound or over:
            return _diagnosis(record, failure, known, LEAVE, DEBUGGER if bound else BUDGET, bound or over)
        asks = self._consultant is not None and self._consultant.standing.state != CLOSED
        if not (asks and returns):  # a known remedy that did not help once leaves the word to the model
            step = known and _remedy(record, failure, known, returns=returns, refused=len(case.refused))
            if step:
                return step
        if asks:
            return self._consult(case, failure, known)
        return _diagnosis(record, failure, known, LEAVE, CATALOGUE, self._unknown(known))

    def _bound(
        self, failure: Failure, lineage: tuple[TrialRecord, ...], refused: int, returns: int, history: TrialHistory
    ) -> str:
        """Return which bound ends the work on a trial, "" where none does."""
        found = [record.diagnosis for record in history.records if record.diagnosis is not None]
        ends = [diagnosis for diagnosis in found if diagnosis.action == LEAVE and diagnosis.by != BUDGET]
        if len(lineage) > MAX_DEPTH:
            return f"{MAX_DEPTH} repairs in a row did not help"
        if returns >= _MAX_RETURNS:
            return f"stalled: the same failure came back after {returns} repairs"
        if refused >= _MAX_REFUSALS:
            return f"the gate refused {refused} patches"
        if sum(end.fingerprint == failure.fingerprint for end in ends) >= _GIVEN_UP:
            return f"the same failure was given up {_GIVEN_UP} times before"
        if len(_repairs(history)) >= self._most:
            return f"{self._most} repairs, all that a quarter of the trials allows, were made"
        return ""

    def _consult(self, case: Case, failure: Failure, known: Known | None) -> Step | None:
        assert self._consultant is not None
        answer = self._consultant.answer(case)
        if answer is None or answer.proposal is not None:
            return None if answer is None else answer.proposal
        return _diagnosis(case.record, failure, known, LEAVE, MODEL, answer.reason, answer.usd)

    def _unknown(self, known: Known | None) -> str:
        what = "the catalogue does not know it" if known is None else f"its remedies for {known.cause} are used up"
        if self._consultant is None:
            return f"{what}, and no language model may be asked (search.debugger is not llm)"
        return f"{what}, and there is no language model: {self._consultant.standing.reason}"


def _remedy(record: TrialRecord, failure: Failure, known: Known, *, returns: int, refused: int) -> Proposal | None:
    config = record.candidate.config
    changes = known.remedy(config, failure, returns=returns, refused=refused)
    if not changes:
        return None
    rationale = Patch(known.cause, CATALOGUE, describe(config, changes))
    return Proposal(config=apply(config, changes), rationale=str(rationale), parent=record.candidate.id)


def _repairs(history: TrialHistory) -> list[TrialRecord]:
    return [record for record in history.records if record.candidate.source == DEBUGGER]


def _diagnosis(
    record: TrialRecord, failure: Failure, known: Known | None, action: str, by: str, reason: str, usd: float = 0.0
) -> Diagnosis:
    return Diagnosis(
        trial=record.candidate.id,
        fingerprint=failure.fingerprint,
        cause="unknown" if known is None else known.cause,
        action=action,
        by=by,
        reason=reason,
        usd=usd,
    )
