"""What became of the failed trials of a search, as the report and the last lines on the screen tell it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TypedDict

from synthcity.search.arms import DEBUGGER
from synthcity.search.candidates.notation import sketch
from synthcity.search.journal.diagnosis import LIMIT, read_patch
from synthcity.search.journal.progress import Event, Progress, Trial

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


def repair_rows(progress: Progress) -> list[RepairRow]:
    """Return what became of every failed trial, in the order of the trials."""
    children = {trial.parent: trial for trial in progress.trials.values() if trial.source == DEBUGGER}
    return [
        _patched(trial, children[trial.id]) if trial.id in children else _diagnosed(trial)
        for trial in progress.trials.values()
        if trial.state == "failed"
    ]


def limit_rows(progress: Progress) -> list[LimitRow]:
    """Return the constraints that failed trials have added to the space."""
    reasons = [str(event["reason"]) for event in progress.rejected if event["stage"] == "limit"]
    return [
        LimitRow(
            trial=trial.id,
            cause=trial.diagnosis["cause"],
            architecture=sketch(trial.config),
            refused=sum(f"than {trial.id}," in reason for reason in reasons),
        )
        for trial in progress.trials.values()
        if trial.diagnosis.get("action") == LIMIT
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


def _patched(trial: Trial, child: Trial) -> RepairRow:
    patch = read_patch(child.rationale)
    ended = {"completed": REPAIRED, "stopped": REPAIRED, "failed": IN_VAIN}
    return RepairRow(
        trial=trial.id,
        cause=patch.cause,
        outcome=ended.get(child.state, UNFINISHED),
        by=patch.by,
        text=patch.changes,
        child=child.id,
        score=None if child.state == "failed" else child.score,
        usd=child.usd,
    )


def _diagnosed(trial: Trial) -> RepairRow:
    found: Event = trial.diagnosis
    return RepairRow(
        trial=trial.id,
        cause=found.get("cause", ""),
        outcome=UNSEEN if not found else LIMITED if found["action"] == LIMIT else GIVEN_UP,
        by=found.get("by", ""),
        text=found.get("reason", ""),
        child=None,
        score=None,
        usd=found.get("usd", 0.0),
    )
