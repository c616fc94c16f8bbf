"""What a search knows so far, as a pure function of the journal's events.

A ``History`` is immutable: ``history.after(event)`` is the history one event later, so the same events give the
same history in a live search, in a resumed one and in the report.

====================  ==============================================================================
kind                  fields beside ``kind`` and ``time`` (unix seconds)
====================  ==============================================================================
``run_started``       ``name``, ``competition``, ``assets``, ``trials``, ``time_budget``, ``workers``,
                      ``command``, ``versions``, ``config``
``run_resumed``       the same, once for every resume
``run_interrupted``   ``reason``
``stage``             ``name``, ``message``: what the run does now
``earlier``           ``runs``: the best of earlier runs, see ``earlier.py``
``baselines``         ``scores`` on the validation prompts (bp) by name
``candidate``         ``id``, ``index``, ``source``, ``parent``, ``rationale``, ``hash``, ``config``, ``usd``, ``arms``
``rejected``          ``source``, ``stage``, ``reason``, ``config``, ``parent``, ``usd``
``proposer_failed``   ``source``, ``error``
``answered``          ``source``, ``question`` (its number), ``proposals``, ``usd``, ``error``: what one question to
                      a language model brought, before any of it is handed out
``arm_state``         ``source``, ``state`` (open, resting, closed), ``reason``
``trial_started``     ``id``, ``from_rung`` (0 when new)
``rung``              ``id``, ``rung``, ``num_rungs``, ``score`` (bp, lower is better), the trainer's figures
``checkpoint``        ``id``, ``path``
``worker_died``       ``id``
``tune_lost``         ``error``: Tune's loop broke and was started afresh
``trial_finished``    ``id``, ``status`` (completed, stopped, failed), ``reason``, ``score``, ``failure``
``stall``             ``level``, ``since``, ``noise`` (bp): see ``stall.py``
``diagnosis``         ``id``, ``fingerprint``, ``cause``, ``action``, ``by``, ``reason``, ``usd``: see ``diagnosis.py``
``search_finished``   ``reason``, ``utilisation``
``finalist``, ``mix``, ``winner``, ``test_scored``, ``verdict``, ``run_finished``: see ``final.py``
====================  ==============================================================================
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import fmean
from typing import Any

from synthcity.errors import RunError
from synthcity.files import atomic_write
from synthcity.search.arms import ArmState
from synthcity.search.candidates.candidate import Candidate, Proposal
from synthcity.search.journal.diagnosis import LIMIT, Diagnosis

QUEUED, RUNNING, COMPLETED, STOPPED, FAILED = "queued", "running", "completed", "stopped", "failed"


@dataclass(frozen=True, kw_only=True)
class TrialRecord:
    """One candidate's life. ``rungs`` holds the trainer's figures of each rung, in order."""

    candidate: Candidate
    status: str = QUEUED
    rungs: tuple[Mapping[str, Any], ...] = ()
    checkpoint: str | None = None
    failure: Mapping[str, Any] | None = None
    diagnosis: Diagnosis | None = None
    reason: str = ""
    proposed_at: float = 0.0
    started_at: float | None = None
    finished_at: float | None = None
    worker_deaths: int = 0

    @property
    def finished(self) -> bool:
        """Whether nothing more will come; a stopped trial keeps the rungs it has."""
        return self.status in (COMPLETED, STOPPED, FAILED)

    @property
    def score(self) -> float | None:
        """Best validation score over the rungs (bp, lower is better); None where there is none."""
        if self.status == FAILED or not self.rungs:
            return None
        return min(float(rung["score"]) for rung in self.rungs)

    @property
    def seconds(self) -> float:
        """Seconds of worker time spent in training and validation."""
        return sum(float(rung["train_seconds"]) + float(rung["validation_seconds"]) for rung in self.rungs)

    def to_dict(self) -> dict[str, Any]:
        """Return the record as it stands in ``trials.jsonl``."""
        return {
            **self.candidate.to_dict(),
            "status": self.status,
            "score": self.score,
            "seconds": self.seconds,
            "curve": [rung["score"] for rung in self.rungs],
            "rungs": list(self.rungs),
            "parameters": self.rungs[-1].get("parameters") if self.rungs else None,
            "reason": self.reason,
            "failure": self.failure,
            "diagnosis": None if self.diagnosis is None else self.diagnosis.to_dict(),
            "worker_deaths": self.worker_deaths,
            "proposed_at": self.proposed_at,
            "started_at": self.started_at,
            "finished_at": self.finished_at,
        }


@dataclass(frozen=True, kw_only=True)
class Rejection:
    """A proposal that the gate refused; free for the trial budget."""

    source: str
    stage: str
    reason: str
    config: Mapping[str, Any]
    parent: str | None = None
    usd: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What one question to a language model brought and cost; ``error`` says what went wrong with it, if anything.

    ``after`` is the number of candidates when it came.
    """

    source: str
    proposals: tuple[Proposal, ...] = ()
    usd: float = 0.0
    error: str = ""
    after: int = 0


@dataclass(frozen=True)
class History:
    """All trials in the order of their admission, all rejections and answers, and the arms whose state was told."""

    trials: Mapping[str, TrialRecord] = field(default_factory=dict)
    rejections: tuple[Rejection, ...] = ()
    baselines: Mapping[str, float] = field(default_factory=dict)
    arms: Mapping[str, ArmState] = field(default_factory=dict)
    answers: tuple[Answer, ...] = ()

    @classmethod
    def replay(cls, events: Iterable[Mapping[str, Any]]) -> History:
        """Build the history that ``events`` tell."""
        history = cls()
        for event in events:
            history = history.after(event)
        return history

    @property
    def records(self) -> list[TrialRecord]:
        """All trials in the order of admission."""
        return list(self.trials.values())

    @property
    def finished(self) -> list[TrialRecord]:
        """Trials that ended, in the order of admission, which does not depend on who was faster."""
        return [record for record in self.records if record.finished]

    @property
    def scored(self) -> list[TrialRecord]:
        """Trials with a score, best first; ties in the order of admission.

        A network that was trained on several seeds is there once, with its best seed, in the place of its mean.
        """
        seeds: dict[str, list[TrialRecord]] = defaultdict(list)
        for record in self.records:
            if record.score is not None:
                seeds[record.candidate.hash].append(record)
        means = {name: fmean(record.score or 0.0 for record in same) for name, same in seeds.items()}
        best = [min(same, key=lambda record: (record.score, record.candidate.index)) for same in seeds.values()]
        return sorted(best, key=lambda record: (means[record.candidate.hash], record.candidate.index))

    @property
    def saved(self) -> list[TrialRecord]:
        """``scored`` trials whose state was saved too: a run may end between a rung and its checkpoint."""
        return [record for record in self.scored if record.checkpoint is not None]

    @property
    def limits(self) -> list[TrialRecord]:
        """Trials that needed too much memory or time: nothing as large shall be tried again."""
        return [r for r in self.records if r.diagnosis is not None and r.diagnosis.action == LIMIT]

    def proposals(self, source: str) -> int:
        """How many proposals of ``source`` were admitted or rejected so far."""
        admitted = sum(record.candidate.source == source for record in self.records)
        return admitted + sum(rejection.source == source for rejection in self.rejections)

    def questions(self, source: str) -> int:
        """How many questions of ``source`` to a language model were answered so far, by an error too."""
        return sum(answer.source == source for answer in self.answers)

    def waiting(self, source: str) -> list[Proposal]:
        """Proposals of ``source`` that are paid for and neither admitted nor rejected yet, oldest first."""
        said = [p for answer in self.answers if answer.source == source for p in answer.proposals]
        return said[self.proposals(source) :]

    def hidden_from(self, index: int) -> History:
        """Return this history with every trial from ``index`` on shown as merely queued."""
        trials = {
            name: record
            if record.candidate.index < index
            else TrialRecord(candidate=record.candidate, proposed_at=record.proposed_at)
            for name, record in self.trials.items()
        }
        return replace(self, trials=trials)

    def after(self, event: Mapping[str, Any]) -> History:
        """Return the history one event later; events that tell nothing about trials change nothing."""
        kind = event["kind"]
        if kind == "candidate":
            record = TrialRecord(candidate=Candidate.from_dict(event), proposed_at=event["time"])
            return self._with(record)
        if kind == "rejected":
            names = ("source", "stage", "reason", "config")
            more = {name: event[name] for name in ("parent", "usd") if name in event}
            rejection = Rejection(**{name: event[name] for name in names}, **more)
            return replace(self, rejections=(*self.rejections, rejection))
        if kind == "arm_state":
            arm = ArmState(state=event["state"], reason=event["reason"])
            return replace(self, arms={**self.arms, event["source"]: arm})
        if kind == "answered":
            proposals = tuple(Proposal(**each) for each in event["proposals"])
            told = {name: event[name] for name in ("source", "usd", "error")}
            answer = Answer(**told, proposals=proposals, after=len(self.trials))
            return replace(self, answers=(*self.answers, answer))
        if kind == "baselines":
            return replace(self, baselines=dict(event["scores"]))
        if kind in _CHANGES:
            return self._with(_CHANGES[kind](self.trials[event["id"]], event))
        return self

    def write_trials(self, path: Path) -> None:
        """Write one JSON record a trial, atomically.

        Raises:
            RunError: the file cannot be written.
        """
        lines = [json.dumps(record.to_dict(), separators=(",", ":")) + "\n" for record in self.records]
        try:
            atomic_write(path, "".join(lines))
        except OSError as error:
            raise RunError(f"cannot write {path}: {error.strerror or error}") from error

    def _with(self, record: TrialRecord) -> History:
        return replace(self, trials={**self.trials, record.candidate.id: record})


def _started(record: TrialRecord, event: Mapping[str, Any]) -> TrialRecord:
    return replace(record, status=RUNNING, started_at=record.started_at or event["time"])


def _rung(record: TrialRecord, event: Mapping[str, Any]) -> TrialRecord:
    figures = {k: v for k, v in event.items() if k not in ("kind", "id")}
    # a rung repeated after a loss, because its checkpoint came too late, replaces its first telling
    earlier = tuple(rung for rung in record.rungs if rung["rung"] < figures["rung"])
    return replace(record, rungs=(*earlier, figures))


def _checkpoint(record: TrialRecord, event: Mapping[str, Any]) -> TrialRecord:
    return replace(record, checkpoint=event["path"])


def _worker_died(record: TrialRecord, event: Mapping[str, Any]) -> TrialRecord:
    return replace(record, worker_deaths=record.worker_deaths + 1)


def _finished(record: TrialRecord, event: Mapping[str, Any]) -> TrialRecord:
    return replace(
        record,
        status=event["status"],
        reason=event.get("reason", ""),
        failure=event.get("failure"),
        finished_at=event["time"],
    )


def _diagnosed(record: TrialRecord, event: Mapping[str, Any]) -> TrialRecord:
    return replace(record, diagnosis=Diagnosis.from_dict(event))


_CHANGES = {
    "trial_started": _started,
    "rung": _rung,
    "checkpoint": _checkpoint,
    "worker_died": _worker_died,
    "trial_finished": _finished,
    "diagnosis": _diagnosed,
}
