"""The run as an Optuna study: ``optuna.journal`` in its folder, which ``optuna-dashboard`` opens as it is.

    optuna-dashboard runs/sweep/optuna.journal

The file is made anew from the history whenever the run is opened, so it never contradicts the journal, and is written
by a thread of its own: what Optuna's lock or the disk costs is not the search's time. A trial that stopped early is
pruned, one outside the space has no parameters; its values by rung are its own validation scores.
"""

from __future__ import annotations

import threading
from datetime import datetime
from pathlib import Path

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from synthcity.nets.config import RECIPE
from synthcity.search.candidates.space import Space
from synthcity.search.journal.events import Event
from synthcity.search.journal.history import COMPLETED, FAILED, QUEUED, RUNNING, STOPPED, TrialHistory
from synthcity.search.journal.record import TrialRecord, own_score
from synthcity.search.proposers.surrogates.study import attributes, parameters_of

STUDY = "optuna.journal"
_STATES = {
    RUNNING: TrialState.RUNNING,
    COMPLETED: TrialState.COMPLETE,
    STOPPED: TrialState.PRUNED,
    FAILED: TrialState.FAIL,
}


class Study:
    """A display of the recorder's that writes the study."""

    def __init__(self, folder: Path, max_blocks: int) -> None:
        """Args: ``max_blocks`` is that of the search, which its parameters depend on."""
        self._path, self._max_blocks = folder / STUDY, max_blocks
        self._changed = threading.Condition()
        self._waiting: dict[str, TrialRecord] = {}  # the newest record of each trial that changed
        self._is_closing = self._is_writing = False
        self._failure = ""
        self._thread = threading.Thread(target=self._write, args=(folder.name,), name="synthcity-study", daemon=True)

    def begin(self, history: TrialHistory) -> None:
        """Take what a resumed run had done."""
        self._waiting = {record.id: record for record in history.records if record.status != QUEUED}
        self._thread.start()

    def update(self, event: Event, history: TrialHistory) -> None:
        """Take a trial that changed."""
        if event["kind"] == "rung" or event["kind"] == "trial_started" or event["kind"] == "trial_finished":
            with self._changed:
                self._waiting[event["id"]] = history.trials[event["id"]]
                self._changed.notify_all()

    def close(self, seconds: float) -> list[str]:
        """Wait at most so long until all is written; return what a person must know."""
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
        if self._thread.ident is not None:
            self._thread.join(seconds)
        if self._thread.is_alive():
            return [f"{self._path.name} was not written in time; {self._num_behind} trials are missing in it."]
        return [f"{self._path.name} was not written: {self._failure}."] if self._failure else []

    @property
    def _num_behind(self) -> int:
        return len(self._waiting) + self._is_writing

    def _write(self, name: str) -> None:
        try:
            for path in (self._path, self._path.with_name(f"{STUDY}.lock")):
                path.unlink(missing_ok=True)  # a killed writer's lock would be waited for
            optuna.logging.set_verbosity(optuna.logging.WARNING)
            written = _Written(JournalStorage(JournalFileBackend(str(self._path))), name, self._max_blocks)
            while (record := self._next()) is not None:
                written.take(record)
                with self._changed:
                    self._is_writing = False
                    self._changed.notify_all()
        except Exception as error:  # noqa: BLE001 - a full disk, a lock, a change of Optuna's: the search goes on
            self._failure = " ".join(f"{type(error).__name__}: {error}".split())[:300]

    def _next(self) -> TrialRecord | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._is_closing)
            if not self._waiting:
                return None
            self._is_writing = True
            return self._waiting.pop(next(iter(self._waiting)))


class _Written:
    """What the study holds so far."""

    def __init__(self, storage: JournalStorage, name: str, max_blocks: int) -> None:
        self._storage = storage
        self._study = storage.create_new_study([StudyDirection.MINIMIZE], name)
        self._max_blocks = max_blocks
        self._ids: dict[str, int] = {}
        self._rungs: dict[str, dict[int, float]] = {}
        self._over: set[str] = set()

    def take(self, record: TrialRecord) -> None:
        """Bring one trial up to its record."""
        if record.id in self._over:
            return
        rungs = {rung["rung"]: own_score(rung) for rung in record.rungs}
        if record.id not in self._ids:
            self._ids[record.id] = self._storage.create_new_trial(self._study, self._template(record, rungs))
        else:
            for step, score in rungs.items() - self._rungs[record.id].items():
                self._storage.set_trial_intermediate_value(self._ids[record.id], step, score)
            if record.finished:
                for name, text in attributes(record).items():
                    self._storage.set_trial_user_attr(self._ids[record.id], name, text)
                values = None if record.score is None else [record.score]
                self._storage.set_trial_state_values(self._ids[record.id], _state(record), values)
        self._rungs[record.id] = rungs
        if record.finished:
            self._over.add(record.id)

    def _template(self, record: TrialRecord, rungs: dict[int, float]) -> FrozenTrial:
        # components that a model wrote for the run may have been registered since the last trial
        found = parameters_of(Space.from_registry(self._max_blocks, RECIPE), record.candidate.config)
        flat, distributions = found or ({}, {})
        return FrozenTrial(
            number=-1,
            trial_id=-1,
            state=_state(record) if record.finished else TrialState.RUNNING,
            value=record.score if record.finished else None,
            datetime_start=_moment(record.started_at or record.proposed_at),
            datetime_complete=_moment(record.finished_at or record.proposed_at) if record.finished else None,
            params=flat,
            distributions=distributions,
            user_attrs={"trial": record.id, **attributes(record)},
            system_attrs={},
            intermediate_values=rungs,
        )


def _state(record: TrialRecord) -> TrialState:
    """Return the state as Optuna has it: what was stopped before its first rung has nothing that could be pruned."""
    state = _STATES[record.status]
    return TrialState.FAIL if record.finished and record.score is None else state


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds)
