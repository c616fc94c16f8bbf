"""What became of the failed trials of a search, as the report and the last lines on the screen tell it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TypedDict

from synthcity.search.arms import DEBUGGER
from synthcity.search.candidates.notation import sketch
from synthcity.search.journal.diagnosis import LIMIT, read_patch
from synthcity.search.journal.history import COMPLETED, FAILED, STOPPED, TrialHistory, TrialRecord

REPAIRED, IN_VAIN, UNFINISHED = "repaired", "patched in vain", "repair unfinished"
LIMITED, GIVEN_UP, UNSEEN = "now a limit", "given up", "not looked at"


class RepairRow(TypedDict):
    """One failed trial.

    ``by``: as in a ``Diagnosis``. ``text``: the patch, or why there is
    none. ``child``: the trial that ran with the patch, ``score`` its score on validation, ``usd`` what a model cost.
    """

    trial: str
    cause: str
    outcome: str
    by: str
    text: str
    child: str | None
    score: float | None
    usd: float


class LimitRow(TypedDict):
    """A constraint of the space: nothing as large as ``trial``; ``refused`` counts what the gate refused for it."""

    trial: str
    cause: str
    architecture: str
    refused: int


def repair_rows(history: TrialHistory) -> list[RepairRow]:
    """Return what became of every failed trial, in the order of the trials."""
    children = {r.candidate.parent: r for r in history.records if r.candidate.source == DEBUGGER}
    return [
        _patched(record, children[record.id]) if record.id in children else _diagnosed(record)
        for record in history.records
        if record.status == FAILED
    ]


def limit_rows(history: TrialHistory) -> list[LimitRow]:
    """Return the constraints that failed trials have added to the space."""
    reasons = [rejection.reason for rejection in history.rejections if rejection.stage == "limit"]
    return [
        LimitRow(
            trial=record.id,
            cause=record.diagnosis.cause if record.diagnosis else "",
            architecture=sketch(record.candidate.config),
            refused=sum(f"than {record.id}," in reason for reason in reasons),
        )
        for record in history.limits
    ]


def repair_line(rows: Sequence[RepairRow]) -> str:
    """Say in one line what became of the failures, as in "2 trials failed: 1 repaired (model 1), 1 given up (nan 1)".

    Empty where no trial failed.
    """
    if not rows:
        return ""
    parts = []
    for outcome, count in Counter(row["outcome"] for row in rows).most_common():
        detail = (row["by"] if outcome == REPAIRED else row["cause"] for row in rows if row["outcome"] == outcome)
        parts.append(f"{count} {outcome} ({_counted(detail)})" if outcome != UNSEEN else f"{count} {outcome}")
    return f"{len(rows)} trial{'' if len(rows) == 1 else 's'} failed: {', '.join(parts)}"


def _counted(words: Iterable[str]) -> str:
    return ", ".join(f"{word} {count}" for word, count in Counter(words).most_common())


def _patched(record: TrialRecord, child: TrialRecord) -> RepairRow:
    patch = read_patch(child.candidate.rationale)
    ended = {COMPLETED: REPAIRED, STOPPED: REPAIRED, FAILED: IN_VAIN}
    return RepairRow(
        trial=record.id,
        cause=patch.cause,
        outcome=ended.get(child.status, UNFINISHED),
        by=patch.by,
        text=patch.changes,
        child=child.id,
        score=child.score,
        usd=child.candidate.usd,
    )


def _diagnosed(record: TrialRecord) -> RepairRow:
    found = record.diagnosis
    return RepairRow(
        trial=record.id,
        cause="" if found is None else found.cause,
        outcome=UNSEEN if found is None else LIMITED if found.action == LIMIT else GIVEN_UP,
        by="" if found is None else found.by,
        text="" if found is None else found.reason,
        child=None,
        score=None,
        usd=0.0 if found is None else found.usd,
    )
