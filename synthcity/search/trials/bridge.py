"""Between Ray Tune and the search: what Tune asks for, what it learns, and what it is told to stop.

Tune pickles its searcher, scheduler and callbacks into snapshots. The journal is the only truth here and a resumed
search builds a fresh Tuner, so these objects pickle to empty shells: no thread, lock or secret can get out.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

from ray import tune
from ray.tune.experiment import Trial
from ray.tune.schedulers import FIFOScheduler, TrialScheduler
from ray.tune.search import Searcher

from synthcity.errors import RunError
from synthcity.search.arms import RERUN
from synthcity.search.config import BudgetConfig
from synthcity.search.journal.history import COMPLETED, FAILED, STOPPED
from synthcity.search.journal.record import TrialRecord, busy_seconds
from synthcity.search.journal.recorder import Recorder
from synthcity.search.trials.fleet import Fleet
from synthcity.search.trials.halving import falls_behind, scores_at
from synthcity.search.trials.queue import TrialQueue
from synthcity.search.trials.trainable import Task, inside, make_durable

# of one trial: a candidate that takes every worker, or every machine, down must not go on for ever
MAX_WORKER_DEATHS = 8
MAX_NODES_LOST = 50
_NODE_DIED = "its node has died"  # in the words of Ray
_CUT_OFF = "The actor is temporarily unavailable"  # likewise, of a worker that lives and is not reached


# a report of ``train_candidate`` with what Tune adds to it, in part under keys such as ``figures/rung``
TuneResult = dict[str, Any]


class _Shell:
    def __getstate__(self) -> dict[str, object]:
        return {}


class QueueSearcher(_Shell, Searcher):
    """Pops from the feed, and nothing else: ``suggest`` never waits for a proposer."""

    def __init__(self, feed: TrialQueue, recorder: Recorder, make_task: Callable[[str], Task]) -> None:
        super().__init__(metric=None, mode=None)
        self._feed = feed
        self._recorder = recorder
        self._make_task = make_task
        self._live: set[str] = set()

    def suggest(self, trial_id: str) -> Any:
        """Return the next task; None while none is ready; FINISHED once nothing runs and nothing will come."""
        candidate = self._feed.pop()
        if candidate is None:
            if not self._feed.done:
                return None
            # FINISHED cannot be taken back, so not while anything may still be put back into the queue
            return None if self._live else Searcher.FINISHED
        self._live.add(trial_id)
        return {"task": self._make_task(candidate.id).to_dict()}

    def on_trial_complete(self, trial_id: str, result: TuneResult | None = None, error: bool = False) -> None:
        """Forget the trial; its record is the callback's work."""
        self._live.discard(trial_id)

    def save(self, checkpoint_path: str) -> None:
        """Save nothing: a resumed search replays the journal."""

    def restore(self, checkpoint_path: str) -> None:
        """Refuse: see ``save``."""
        raise NotImplementedError("a search is resumed from its journal, never from a snapshot of Ray Tune")


class Watch(_Shell, tune.Callback):
    """Journals what happens to trials, under the search's own candidate ids."""

    def __init__(
        self,
        recorder: Recorder,
        feed: TrialQueue,
        scheduler: Halving,
        machines: Fleet,
        num_rungs: int,
        storage: str,
    ) -> None:
        self._recorder = recorder
        self._machines = machines
        self._nodes: dict[str, str] = {}  # by trial the machine that it last told of
        self._storage = storage
        self._feed = feed
        self._scheduler = scheduler
        self._num_rungs = num_rungs

    def on_trial_start(self, iteration: int, trials: list[Trial], trial: Trial, **info: object) -> None:
        """Record the start, or the restart after a lost worker."""
        name = candidate_of(trial)
        record = self._recorder.history.trials[name]
        self._recorder.emit("trial_started", id=name, from_rung=len(record.rungs))

    def on_trial_recover(self, iteration: int, trials: list[Trial], trial: Trial, **info: object) -> None:
        """Record that a worker or its machine was lost; Tune starts the trial again from its checkpoint."""
        self._note_loss(trial)

    def on_trial_result(
        self, iteration: int, trials: list[Trial], trial: Trial, result: TuneResult, **info: object
    ) -> None:
        """Record a rung, or the failure that the worker reported."""
        name = candidate_of(trial)
        if result.get("status") == "ok":
            self._nodes[name] = result["node"]
            cost = self._machines.spent(result["node"], busy_seconds(result["figures"]))
            self._recorder.emit("rung", id=name, num_rungs=self._num_rungs, **result["figures"], **cost)
        elif result.get("status") == "failed":
            self._finish(name, FAILED, failure=result["failure"])
        elif result.get("status") == "degraded":
            self._recorder.emit("degraded", note=result["note"])
        elif result.get("status") == "stuck":
            self._stick(name, result["reason"])

    def on_checkpoint(
        self, iteration: int, trials: list[Trial], trial: Trial, checkpoint: tune.Checkpoint, **info: object
    ) -> None:
        """Record where the state lies that a resumed search goes on from, once it is on the disk."""
        name = candidate_of(trial)
        try:
            make_durable(checkpoint, self._storage)
        except OSError as error:
            self._stick(name, error.strerror or str(error))
            return
        self._recorder.emit("checkpoint", id=name, path=inside(checkpoint, self._storage))

    def on_trial_complete(self, iteration: int, trials: list[Trial], trial: Trial, **info: object) -> None:
        """Record the end: of its own accord or by the scheduler's decision."""
        if self._feed.failure is not None:
            return  # it ended because it could not go on, and will
        name = candidate_of(trial)
        reason = self._scheduler.reasons.get(name)
        if not self._recorder.history.trials[name].finished:
            self._finish(name, STOPPED if reason else COMPLETED, reason=reason or "trained to its end")
        self._feed.wake()

    def on_trial_error(self, iteration: int, trials: list[Trial], trial: Trial, **info: object) -> None:
        """Queue the candidate again, or give it up when its workers or machines keep dying.

        Tune restarts a trial whose worker dies, but ends one whose worker dies while being handed over to it.
        """
        record = self._note_loss(trial)
        if record.worker_deaths < MAX_WORKER_DEATHS and record.nodes_lost < MAX_NODES_LOST:
            self._feed.retry(record.candidate)
            return
        message = f"its worker died {record.worker_deaths} times; memory or storage that ran out is the usual cause"
        if record.worker_deaths < MAX_WORKER_DEATHS:
            message = f"its machine was lost {record.nodes_lost} times"
        self._finish(record.id, FAILED, failure={"class": "WorkerDied", "message": message, "traceback": ""})
        self._feed.wake()

    def _note_loss(self, trial: Trial) -> TrialRecord:
        name = candidate_of(trial)
        node = self._nodes.pop(name, None)  # it may go on elsewhere, and be lost there before it tells where
        error = _last_error(trial)
        is_cut_off = self._machines.is_elsewhere and _CUT_OFF in error
        is_lost = _NODE_DIED in error or is_cut_off or self._machines.is_lost(node)
        self._recorder.emit("node_lost" if is_lost else "worker_died", id=name)
        return self._recorder.history.trials[name]

    def on_step_end(self, iteration: int, trials: list[Trial], **info: object) -> None:
        """Stop everything when the journal or the feed has failed: nothing may go on unrecorded."""
        failure = self._recorder.failure or self._feed.failure
        if failure is not None:
            raise failure

    def _stick(self, name: str, reason: str) -> None:
        """End the search as it stands: whoever comes next would meet the same, and be lost for nothing."""
        self._feed.fail(
            RunError(
                f"trial {name} cannot be saved to {self._storage} ({reason}); make space or mend it and continue with "
                "--resume, nothing is lost"
            )
        )

    def _finish(self, name: str, status: str, **fields: object) -> None:
        score = self._recorder.history.trials[name].score
        self._recorder.emit("trial_finished", id=name, status=status, score=score, **fields)


class Halving(_Shell, FIFOScheduler):
    """First come, first served, with early stopping unless the search is deterministic.

    After ``deadline`` (``time.monotonic`` seconds, None for never) every trial stops at its next rung.
    """

    def __init__(self, recorder: Recorder, budget: BudgetConfig, deadline: float | None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._recorder = recorder
        self._deadline = deadline
        self._reduction = budget.reduction
        self._milestones = budget.milestones
        self.reasons: dict[str, str] = {}

    def on_trial_result(self, tune_controller: object, trial: Trial, result: TuneResult) -> str:
        """Decide whether a trial goes on; asked before the result is recorded."""
        name, rung = candidate_of(trial), result.get("figures/rung")
        if rung is None or result.get("figures/done"):
            return str(TrialScheduler.CONTINUE)
        score = float(result.get("figures/score", math.nan))
        # a fresh seed of a known network tells its noise, which one that is stopped early does not
        record = self._recorder.history.trials.get(name)
        if rung in self._milestones and (record is None or record.candidate.source != RERUN):
            others = scores_at(self._recorder.history, rung, without=name)
            if falls_behind(score, others, self._reduction):
                self.reasons[name] = f"not among the best 1/{self._reduction:g} at rung {rung}"
                return str(TrialScheduler.STOP)
        if self._deadline is not None and time.monotonic() >= self._deadline:
            self.reasons[name] = "the time budget of the search was used"
            return str(TrialScheduler.STOP)
        return str(TrialScheduler.CONTINUE)


class Deadlines(tune.Stopper):
    """Closes the feed at the deadline and ends the experiment at the hard one (``time.monotonic`` seconds)."""

    def __init__(self, feed: TrialQueue | None, soft: float | None, hard: float | None) -> None:
        self._feed, self._soft, self._hard = feed, soft, hard

    def __reduce__(self) -> tuple[type, tuple[None, None, None]]:
        return Deadlines, (None, None, None)

    def __call__(self, trial_id: str, result: TuneResult) -> bool:
        """Never stop a single trial: that is the scheduler's decision."""
        return False

    def stop_all(self) -> bool:
        """Whether the hard deadline has passed; asked at every step of Tune's loop."""
        now = time.monotonic()
        if self._feed is not None and self._soft is not None and now >= self._soft:
            self._feed.close()
        return self._hard is not None and now >= self._hard


def _last_error(trial: Trial) -> str:
    """Return what Ray says of the last loss; Tune appends one to the other."""
    try:
        with open(trial.error_file, encoding="utf-8", errors="replace") as file:
            return file.read().rpartition("Failure # ")[2]
    except (OSError, TypeError):  # None: it has no folder yet
        return ""


def candidate_of(trial: Trial) -> str:
    """Return the candidate's id of a Tune trial."""
    return str(trial.config["task"]["candidate"])
