"""The search stage: Ray Tune fed from the queue, watched by the journal."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial

import ray
from pyarrow.fs import PyFileSystem
from ray import tune

from synthcity.cluster.local import Cluster
from synthcity.errors import Fatal
from synthcity.nets.authored.code import codes_of
from synthcity.search.candidates.candidate import Candidate
from synthcity.search.config import BudgetConfig
from synthcity.search.journal.events import COMMON_NOISE, CheckpointTold, RunStarted
from synthcity.search.journal.history import STOPPED
from synthcity.search.journal.recorder import Recorder
from synthcity.search.journal.surroundings import TuneLost
from synthcity.search.trials.bridge import MAX_WORKER_DEATHS, Deadlines, Halving, QueueSearcher, Watch
from synthcity.search.trials.fleet import Fleet
from synthcity.search.trials.head_files import head_files
from synthcity.search.trials.queue import TrialQueue
from synthcity.search.trials.scoreless import TIME_USED
from synthcity.search.trials.trainable import TRAINER, Task, located, train_candidate
from synthcity.seeds import split_seed

_MAX_RESTARTS = 3  # of Tune's loop, which ends when a worker is killed for memory while it starts


def run_trials(
    *,
    recorder: Recorder,
    feed: TrialQueue,
    budget: BudgetConfig,
    cluster: Cluster,
    dataset: object,
    storage: str,
    machines: Fleet,
    seconds: float | None = None,
    grace: float = 0.0,
    trainer: str = TRAINER,
) -> None:
    """Train candidates from ``feed`` until it is done or ``seconds`` have passed.

    ``dataset``: what the trainer takes. ``storage``: folder or s3:// for checkpoints. After
    ``seconds`` (None: no limit) nothing new starts and trials stop at their next rung; ``grace`` seconds later what
    still runs is cut off and keeps the rungs it has.

    Raises:
        RunError: the journal cannot be written.
        Fatal: Ray was lost, or its own folder is full.
    """
    now = time.monotonic()
    soft = None if seconds is None else now + seconds
    hard = None if soft is None else soft + grace

    def fit(files: PyFileSystem | None) -> None:
        training = tune.with_parameters(train_candidate, dataset=dataset, files=files)
        trainable = tune.with_resources(training, resources=cluster.resources)
        halving = Halving(recorder, budget, soft)
        watch = Watch(recorder, feed, halving, machines, budget.rungs, storage)
        searcher = QueueSearcher(feed, recorder, lambda name: make_task(name, recorder, budget, storage, trainer))
        stopper = Deadlines(feed, soft, hard)
        _tuner(trainable, cluster, searcher, halving, watch, stopper, storage, files, recorder).fit()

    feed.start()
    try:
        with head_files(storage) if cluster.is_elsewhere and "://" not in storage else nullcontext() as files:
            _fit_again_when_lost(partial(fit, files), recorder, feed)
    finally:
        feed.join()
    failure = recorder.failure or feed.failure
    if failure is not None:
        raise failure
    _close_open_trials(recorder)
    feed.settle()


def _fit_again_when_lost(fit: Callable[[], None], recorder: Recorder, feed: TrialQueue) -> None:
    """Run Tune's loop; when it breaks, put what was running back into the queue and start a fresh one."""
    for attempt in range(_MAX_RESTARTS + 1):
        try:
            return fit()
        except (ray.exceptions.RayError, tune.TuneError, RuntimeError) as error:
            if recorder.failure or feed.failure:
                return
            if error.__cause__ is not None and isinstance(error.__cause__, Fatal):
                raise error.__cause__ from error
            if attempt == _MAX_RESTARTS or not ray.is_initialized():
                raise Fatal(f"Ray was lost during the search: {error}; continue with --resume") from error
            recorder.emit("tune_lost", error=f"{type(error).__name__}: {error}")
            feed.put_back()
        except OSError as error:  # of Tune's own files, in Ray's session folder
            if recorder.failure or feed.failure:
                return
            why = f"{error.filename or tempfile.gettempdir()}: {error.strerror or error}"
            raise Fatal(f"Ray cannot go on ({why}); make space there and continue with --resume") from error


def _tuner(
    trainable: Callable[..., object],
    cluster: Cluster,
    searcher: QueueSearcher,
    halving: Halving,
    watch: Watch,
    stopper: Deadlines,
    storage: str,
    files: PyFileSystem | None,
    recorder: Recorder,
) -> tune.Tuner:
    begun = len(recorder.history.sessions) + len(recorder.all(TuneLost))  # a folder for each, as Tune wants none twice
    return tune.Tuner(
        trainable,
        tune_config=tune.TuneConfig(
            num_samples=-1,
            search_alg=searcher,
            scheduler=halving,
            max_concurrent_trials=cluster.workers,
            reuse_actors=True,
            trial_name_creator=str,
            trial_dirname_creator=lambda trial: trial.trial_id,
        ),
        run_config=tune.RunConfig(
            name=f"trials-{begun}",
            storage_path=storage,
            storage_filesystem=files,
            verbose=0,
            stop=stopper,
            callbacks=[watch],
            checkpoint_config=tune.CheckpointConfig(num_to_keep=2),
            failure_config=tune.FailureConfig(max_failures=MAX_WORKER_DEATHS),
        ),
    )


def make_task(name: str, recorder: Recorder, budget: BudgetConfig, storage: str, trainer: str) -> Task:
    """Return what a worker needs to train the candidate, from its last checkpoint if it has one."""
    record = recorder.history.trials[name]
    return Task(
        candidate=name,
        config=dict(record.candidate.config),
        seed=trial_seed(budget.seed, _number(record.candidate, recorder)),
        num_rungs=budget.rungs,
        max_steps=budget.max_steps,
        rung_seconds=budget.max_rung_seconds,
        checkpoints=tuple(located(path, storage).path for path in checkpoints_of(name, recorder)),
        trainer=trainer,
        code=codes_of(record.candidate.config),
    )


def checkpoints_of(name: str, recorder: Recorder) -> list[str]:
    """Return where the states of a trial lie below the storage, the newest first; old ones may be gone."""
    return [event["path"] for event in reversed(recorder.all(CheckpointTold)) if event["id"] == name]


def _number(candidate: Candidate, recorder: Recorder) -> int:
    """Return which training of its network a trial is, from 0: every network's first has the same seed.

    So all see the same windows in the same order, and most of what a seed does to a score is the same for all. A run of
    an earlier version goes on as it began, with a seed of each trial's own.
    """
    start = recorder.last(RunStarted)
    if start is not None and start.get("version", 1) < COMMON_NOISE:
        return candidate.index
    same = (r.candidate for r in recorder.history.records if r.candidate.hash == candidate.hash)
    return sum(other.index < candidate.index for other in same)


def trial_seed(seed: int, number: int) -> int:
    """Return the training seed with that number: the same in every run with this search seed."""
    return split_seed([seed, number], 1, bits=32)[0]


def _close_open_trials(recorder: Recorder) -> None:
    """Give every trial that the deadline cut off, or never let start, its end."""
    for record in recorder.history.records:
        if not record.finished:
            reason = "cut off" if record.rungs else "no time was left to reach a first rung"
            recorder.emit(
                "trial_finished",
                id=record.candidate.id,
                status=STOPPED,
                score=record.score,
                reason=f"{TIME_USED}: {reason}",
            )
