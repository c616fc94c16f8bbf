"""What a run's journal says so far: the only fold of its events, whoever reads them.

A ``TrialHistory`` is immutable: ``history.after(event)`` is the history one event later, so the same events give the
same history in a live search, in a resumed one, in the live view and in the report. A ``Fold`` adds up many of them in
a time that grows with their number alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

from synthcity.errors import DataError, RunError
from synthcity.files import atomic_write
from synthcity.search.arms import DEBUGGER, FIRST, OPEN, RERUN, ArmState
from synthcity.search.candidates.candidate import Candidate, Config, Proposal
from synthcity.search.journal.diagnosis import LIMIT
from synthcity.search.journal.events import (
    Answered,
    Chosen,
    EarningsTold,
    Event,
    MixTold,
    OfTrial,
    RejectedTold,
    Trouble,
)
from synthcity.search.journal.parts import RunTold
from synthcity.search.journal.record import COMPLETED, FAILED, QUEUED, RUNNING, STOPPED, TrialRecord
from synthcity.search.journal.sessions import Cost, Session, counted, passed
from synthcity.search.journal.standings import mean_scores, trainings, whole_scores
from synthcity.search.journal.surroundings import ForecastersTold, InputsTold, Researched

__all__ = ["COMPLETED", "FAILED", "QUEUED", "RUNNING", "STOPPED", "Fold", "TrialHistory", "TrialRecord"]

_OF_TRIAL = {"trial_started", "rung", "checkpoint", "worker_died", "node_lost", "trial_finished", "diagnosis"}
_SILENT = {"trial_started", "rung", "checkpoint", "trial_finished", "candidate", "rejected"}  # of all but their trial


@dataclass(frozen=True, kw_only=True)
class Rejection:
    """A proposal that the gate refused; free for the trial budget."""

    source: str
    stage: str
    reason: str
    config: Config
    parent: str | None = None
    usd: float = 0.0
    step_seconds: float | None = None


@dataclass(frozen=True, kw_only=True)
class ModelAnswer:
    """What one question to a language model brought and cost; ``error`` says what went wrong with it, if anything.

    ``after`` is the number of candidates when it came.
    """

    source: str
    proposals: tuple[Proposal, ...] = ()
    usd: float = 0.0
    error: str = ""
    after: int = 0


@dataclass(frozen=True, kw_only=True)
class Finals:
    """How far the finals are: scores on fresh prompts by name, what was mixed and chosen, and what is frozen.

    ``searched``: the search before them is over; ``finished``: so is the run.
    """

    searched: bool = False
    scores: Mapping[str, float] = field(default_factory=dict)
    mix: MixTold | None = None
    chosen: Chosen | None = None
    winner: str | None = None
    earnings: EarningsTold | None = None
    finished: bool = False


@dataclass(frozen=True)
class TrialHistory:
    """All trials in the order of their admission, all rejections and answers, and the arms whose state was told.

    ``timed_from`` counts the rejections and trials that were told before another machine took the run over: how long a
    step took there says nothing here. ``baseline_slices`` are the best baseline's scores, by the names that a rung has
    for its own. ``run`` is what the newest session told of itself, ``inputs`` and ``forecasters`` what is used of the
    user's library, ``researching`` how far research beside the trials is and ``researched`` what came of it, ``looks``
    how often the test period was looked at, ``usd`` what was paid to language models, ``cost`` what machines cost.
    """

    trials: Mapping[str, TrialRecord] = field(default_factory=dict)
    rejections: tuple[Rejection, ...] = ()
    timed_from: tuple[int, int] = (0, 0)
    baselines: Mapping[str, float] = field(default_factory=dict)
    baseline_slices: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    inputs: InputsTold | None = None
    forecasters: ForecastersTold | None = None
    researching: str = ""
    researched: Researched | None = None
    arms: Mapping[str, ArmState] = field(default_factory=dict)
    answers: tuple[ModelAnswer, ...] = ()
    run: RunTold | None = None
    stage: str = ""
    finals: Finals = field(default_factory=Finals)
    looks: int = 0
    usd: float = 0.0
    cost: Cost = field(default_factory=Cost)
    troubles: tuple[Trouble, ...] = ()
    sessions: tuple[Session, ...] = ()

    @classmethod
    def replay(cls, events: Iterable[Event]) -> TrialHistory:
        """Build the history that ``events`` tell."""
        return Fold.of(events).history

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

        A network that was trained on several seeds is there once, with its best seed, in the place of its mean, from
        which what each seed does to all networks is taken out. Once one of them was trained to its end, those that were
        not do not count: their scores are of fewer rungs.
        """
        same = trainings(self.records)
        means = mean_scores(same)
        best = [min(one, key=lambda record: (record.score, record.candidate.index)) for one in same.values()]
        return sorted(best, key=lambda record: (means[record.candidate.hash], record.candidate.index))

    @property
    def ranked(self) -> list[TrialRecord]:
        """The first training of each network with a score, in the order that they would have had, trained alike.

        It is what proposers learn from; see ``standings``.
        """
        whole = whole_scores(self.records)
        first: dict[str, TrialRecord] = {}
        for record in self.records:
            if record.score is not None:
                first.setdefault(record.candidate.hash, record)
        return sorted(first.values(), key=lambda record: (whole[record.candidate.hash], record.candidate.index))

    @property
    def first_trainings(self) -> list[TrialRecord]:
        """All trials but those that train a known network again."""
        return [record for record in self.records if record.candidate.source != RERUN]

    @property
    def began(self) -> set[str]:
        """Hashes of the networks that the search began with."""
        return {record.candidate.hash for record in self.records if record.candidate.source == FIRST}

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

    def hidden_from(self, index: int) -> TrialHistory:
        """Return this history with every trial from ``index`` on shown as merely queued."""
        trials = {
            name: record
            if record.candidate.index < index
            else TrialRecord(candidate=record.candidate, proposed_at=record.proposed_at)
            for name, record in self.trials.items()
        }
        return replace(self, trials=trials)

    @property
    def used_seconds(self) -> float:
        """Time spent in all sessions."""
        return sum(session.seconds for session in self.sessions)

    def after(self, event: Event) -> TrialHistory:
        """Return the history one event later.

        Raises:
            DataError: it tells of a trial that was never proposed.
        """
        fold = Fold(self)
        fold.take(event)
        return fold.history

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


class Fold:
    """Adds up events, however many; ``history`` is what they say so far."""

    def __init__(self, history: TrialHistory | None = None) -> None:
        """Args: ``history`` is what was said before."""
        self._history: TrialHistory | None = history or TrialHistory()
        self._rest = self._history  # all but what grows with every trial
        self._trials = dict(self._history.trials)
        self._rejections = list(self._history.rejections)
        self._sessions, self._cost = self._history.sessions, self._history.cost

    @classmethod
    def of(cls, events: Iterable[Event]) -> Fold:
        """Add up ``events``."""
        fold = cls()
        for event in events:
            fold.take(event)
        return fold

    @property
    def num_trials(self) -> int:
        """How many trials were proposed."""
        return len(self._trials)

    @property
    def history(self) -> TrialHistory:
        """What was said so far; it stays as it is when more is said."""
        if self._history is None:
            self._history = replace(
                self._rest,
                trials=dict(self._trials),
                rejections=tuple(self._rejections),
                sessions=self._sessions,
                cost=self._cost,
            )
        return self._history

    def take(self, event: Event) -> None:
        """Add one event.

        Raises:
            DataError: it tells of a trial that was never proposed.
        """
        self._history = None
        before, self._sessions = self._sessions, counted(self._sessions, event)
        self._cost = self._cost.after(event, passed(before, self._sessions))
        if event["kind"] in _OF_TRIAL:
            self._take_of_trial(cast(OfTrial, event))
        elif event["kind"] == "candidate":
            record = TrialRecord(candidate=Candidate.from_dict(event), proposed_at=event["time"])
            self._trials[record.id] = record
        elif event["kind"] == "rejected":
            self._rejections.append(_rejection(event))
        elif event["kind"] == "run_started" or event["kind"] == "run_resumed":
            waiting = {r.id: replace(r, status=QUEUED) for r in self._trials.values() if r.status == RUNNING}
            self._trials.update(waiting)
            if self._rest.run is not None and self._rest.run.get("machine") != event.get("machine"):
                self._rest = replace(self._rest, timed_from=(len(self._rejections), len(self._trials)))
        usd = _paid(event)
        if usd:
            self._rest = replace(self._rest, usd=self._rest.usd + usd)
        if event["kind"] not in _SILENT:
            self._rest = _of_search(_of_run(self._rest, event), event, self.num_trials)
            self._rest = _of_finals(self._rest, event)

    def _take_of_trial(self, event: OfTrial) -> None:
        record = self._trials.get(event["id"])
        if record is None:
            raise DataError(f"a {event['kind']} of {event['id']}, which was never proposed")
        record = record.after(event)
        if event["kind"] == "trial_finished":
            record = replace(record, elapsed=sum(session.seconds for session in self._sessions))
        self._trials[record.id] = record


def _of_run(history: TrialHistory, event: Event) -> TrialHistory:
    if event["kind"] == "run_started" or event["kind"] == "run_resumed":
        return replace(history, run=event)
    if event["kind"] == "stage":
        return replace(history, stage=event["message"] or event["name"])
    if (
        event["kind"] in ("worker_died", "node_lost", "tune_lost", "proposer_failed", "run_interrupted", "degraded")
        or (event["kind"] == "arm_state" and event["state"] != OPEN)
        or (event["kind"] == "author_ended" and event["admitted"] is None)
    ):
        return replace(history, troubles=(*history.troubles, event))
    return history


def _of_search(history: TrialHistory, event: Event, num_trials: int) -> TrialHistory:
    if event["kind"] == "arm_state":
        arm = ArmState(state=event["state"], reason=event["reason"])
        return replace(history, arms={**history.arms, event["source"]: arm})
    if event["kind"] == "answered":
        return replace(history, answers=(*history.answers, _answer(event, after=num_trials)))
    if event["kind"] == "inputs":
        return replace(history, inputs=event)
    if event["kind"] == "forecasters":
        return replace(history, forecasters=event)
    if event["kind"] == "research":
        return replace(history, researching=event["text"])
    if event["kind"] == "researched":
        return replace(history, researching="", researched=event)
    if event["kind"] == "baselines":
        slices = {f"scores_{name}": event[name] for name in ("by_asset", "by_hour") if name in event}
        return replace(history, baselines=dict(event["scores"]), baseline_slices=slices)
    return history


def _of_finals(history: TrialHistory, event: Event) -> TrialHistory:
    finals = history.finals
    if event["kind"] == "search_finished":
        return replace(history, finals=replace(finals, searched=True))
    if event["kind"] == "run_finished":
        return replace(history, finals=replace(finals, finished=True))
    if event["kind"] == "finalist":
        return replace(history, finals=replace(finals, scores={**finals.scores, event["name"]: event["score"]}))
    if event["kind"] == "mix":
        return replace(history, finals=replace(finals, mix=event))
    if event["kind"] == "chosen":
        return replace(history, finals=replace(finals, chosen=event))
    if event["kind"] == "winner":
        return replace(history, finals=replace(finals, winner=event["name"]))
    if event["kind"] == "earnings":
        return replace(history, finals=replace(finals, earnings=event))
    if event["kind"] == "test_scored":
        return replace(history, looks=history.looks + 1)
    if event["kind"] == "run_extended":
        return replace(history, finals=Finals())
    if event["kind"] == "contenders":
        return replace(history, finals=Finals(searched=finals.searched))
    return history


def _paid(event: Event) -> float:
    """What an event tells was paid; a proposal of an answer that was told before costs nothing again."""
    if event["kind"] in ("answered", "diagnosis", "author_ended", "researched"):
        return event.get("usd", 0.0)
    if (event["kind"] == "candidate" or event["kind"] == "rejected") and event["source"] == DEBUGGER:
        return event.get("usd", 0.0)
    return 0.0


def _rejection(event: RejectedTold) -> Rejection:
    return Rejection(
        source=event["source"],
        stage=event["stage"],
        reason=event["reason"],
        config=event["config"],
        parent=event.get("parent"),
        usd=event.get("usd", 0.0),
        step_seconds=event.get("step_seconds"),
    )


def _answer(event: Answered, *, after: int) -> ModelAnswer:
    proposals = tuple(Proposal(**each) for each in event["proposals"])
    return ModelAnswer(source=event["source"], proposals=proposals, usd=event["usd"], error=event["error"], after=after)
