"""What runs inside a Ray worker: one candidate, rung by rung.

Errors of the candidate are caught here and reported as data, because an exception that escapes costs the worker
process and tells the search nothing. What is left for Ray to repair is the loss of a worker or a machine: then the
trial starts again from its last checkpoint.
"""

from __future__ import annotations

import errno
import importlib
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import ray
from pyarrow.fs import FileSelector, FileSystem
from ray import tune

from synthcity.errors import BundleError, Fatal
from synthcity.files import sync, sync_all
from synthcity.search.candidates.candidate import Config

TRAINER = "synthcity.nets.training:Trainer"
STATE_FILE = "state.safetensors"
_LASTING = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM}
_GONE = {errno.ENOENT, errno.EISDIR, errno.ENOTDIR, errno.EIO, errno.EACCES}
_TRACEBACK_FRAMES = 24  # a library may put a dozen of its own below ours


class TrialTrainer(Protocol):
    """What a worker needs of a trainer."""

    @property
    def rung(self) -> int:
        """How many rungs are trained."""

    def advance(self) -> Mapping[str, object]:
        """Train one rung; return its figures, of which ``done`` says whether it was the last."""

    def state(self) -> bytes:
        """Return all that it needs to go on."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """What a worker is told: plain data, small enough to travel with every trial."""

    candidate: str
    config: Config
    seed: int
    num_rungs: int
    max_steps: int
    rung_seconds: float | None = None
    checkpoints: tuple[str, ...] = ()  # of earlier sessions, the newest first
    trainer: str = TRAINER
    code: tuple[dict[str, str], ...] = ()  # of components that a language model wrote

    def to_dict(self) -> dict[str, object]:
        """Return plain data."""
        return asdict(self)


def train_candidate(config: dict[str, Any], *, dataset: object, files: FileSystem | None = None) -> None:
    """Train one candidate; the function that Ray Tune calls.

    ``files``: where checkpoints of earlier sessions lie, if not on this machine; see ``head_files``.

    Reports, per rung, the trainer's figures with ``status`` "ok", the ``node`` and a checkpoint; when the candidate
    fails, one report with ``status`` "failed" and ``failure`` {class, message, traceback}; ``status`` "degraded" with a
    ``note`` when a checkpoint cannot be read, and "stuck" with the ``reason`` when none can be written for want of
    space.
    """
    task = Task(**config["task"])
    try:
        _train(task, dataset, files)
    except OSError as error:
        if not _lasts(error):
            raise  # the storage's fault, not the candidate's: Ray starts the trial again
        where = f" in {error.filename}" if error.filename else ""
        tune.report({"status": "stuck", "reason": f"{error.strerror or error}{where}"})
    except Fatal:
        raise
    except Exception as error:  # noqa: BLE001 - a candidate may fail in any way; the cause goes into the record
        tune.report({"status": "failed", "failure": describe_failure(error)})


def _train(task: Task, dataset: object, files: FileSystem | None) -> None:
    if task.code:
        from synthcity.nets.authored.code import install

        install(task.code)
    build = load_trainer(task.trainer)
    _limit_threads()
    trainer = _trainer(task, build, dataset, files)
    if trainer.rung >= task.num_rungs:  # killed between its last checkpoint and its last report's arrival
        tune.report({"status": "already done"})
        return
    done = False
    while not done:
        figures = trainer.advance()
        done = bool(figures["done"])
        with tempfile.TemporaryDirectory() as folder:
            _write(Path(folder, STATE_FILE), trainer.state())
            report = {"status": "ok", "figures": figures, "node": ray.get_runtime_context().get_node_id()}
            tune.report(report, checkpoint=tune.Checkpoint.from_directory(folder))


def _limit_threads() -> None:
    """Give torch as many threads as this worker was given CPUs; a reused worker may come from elsewhere."""
    torch = sys.modules.get("torch")  # a trainer may do without it
    if torch is not None:
        granted = tune.get_context().get_trial_resources().required_resources
        torch.set_num_threads(max(1, int(granted.get("CPU", 1))))


def _write(path: Path, state: bytes) -> None:
    try:
        path.write_bytes(state)
    except OSError as error:  # which names no file where it was the content that did not fit
        raise OSError(error.errno, error.strerror, str(path.parent)) from error


def _trainer(task: Task, make: Callable[..., TrialTrainer], dataset: object, files: FileSystem | None) -> TrialTrainer:
    """Return the trainer at the newest state that is whole, or at its beginning; report those that are not."""
    build = partial(
        make,
        task.config,
        dataset,
        seed=task.seed,
        num_rungs=task.num_rungs,
        max_steps=task.max_steps,
        rung_seconds=task.rung_seconds,
    )
    trainer, lost = None, []
    for checkpoint in _saved(task, files):
        try:
            trainer = build(state=read_state(checkpoint))
            break
        except BundleError as error:
            lost.append(f"the checkpoint {checkpoint.path} is lost ({error})")
    trainer = trainer or build(state=None)
    for what in lost:
        tune.report({"status": "degraded", "note": f"{what}; trial {task.candidate} goes on after rung {trainer.rung}"})
    return trainer


def _saved(task: Task, files: FileSystem | None) -> Iterator[tune.Checkpoint]:
    """The states of a trial, newest first: Ray's own after the loss of a worker, then those that the journal knows."""
    mine = tune.get_checkpoint()
    if mine is not None:
        yield mine
        yield from _older(mine)
    yield from (tune.Checkpoint(path, files) for path in task.checkpoints)


def _older(checkpoint: tune.Checkpoint) -> list[tune.Checkpoint]:
    """Return what Ray keeps beside a checkpoint of the same trial, the newest first."""
    folder, _, name = checkpoint.path.rpartition("/")
    assert checkpoint.filesystem is not None
    entries = checkpoint.filesystem.get_file_info(FileSelector(folder))
    older = sorted(e.path for e in entries if e.base_name.startswith("checkpoint_") and e.base_name < name)
    return [tune.Checkpoint(path, checkpoint.filesystem) for path in reversed(older)]


def read_state(checkpoint: tune.Checkpoint) -> bytes:
    """Return a trainer's state from a checkpoint in a folder or in s3://.

    Raises:
        BundleError: it is gone or cannot be read.
        OSError: the storage does not answer.
    """
    try:
        with checkpoint.as_directory() as folder:
            return Path(folder, STATE_FILE).read_bytes()
    except OSError as error:
        if error.errno in _GONE:
            raise BundleError(error.strerror or str(error)) from error
        raise


def make_durable(checkpoint: tune.Checkpoint, storage: str) -> None:
    """Return once a checkpoint is on the disk with all folders down to it; a bucket keeps what it took.

    Raises:
        OSError: the disk refuses.
    """
    if "://" in storage:
        return
    path, root = Path(checkpoint.path), Path(storage)
    sync_all(path)
    for folder in path.parents:
        if folder.is_relative_to(root):
            sync(folder)


def _lasts(error: OSError) -> bool:
    """Whether trying again is of no use: the disk is full, closed to us or read-only."""
    return error.errno in _LASTING or "No usable temporary directory" in str(error)


def inside(checkpoint: tune.Checkpoint, storage: str) -> str:
    """Return a checkpoint's place below ``storage``, so that a run that is moved as a whole finds it again."""
    root = storage.partition("://")[2] or storage
    return str(checkpoint.path).removeprefix(root.rstrip("/")).lstrip("/")


def located(path: str, storage: str) -> tune.Checkpoint:
    """Return the checkpoint that lies at ``path`` below ``storage``, a folder or a URI."""
    return tune.Checkpoint(f"{storage.rstrip('/')}/{path}")


def load_trainer(path: str) -> Callable[..., TrialTrainer]:
    """Import the trainer class ``module:name``."""
    module, _, name = path.partition(":")
    loaded: Callable[..., TrialTrainer] = getattr(importlib.import_module(module), name)
    return loaded


def describe_failure(error: BaseException) -> dict[str, str]:
    """Return class, message and the last frames of an exception as plain text."""
    return {
        "class": type(error).__name__,
        "message": str(error),
        "traceback": "".join(traceback.format_exception(error, limit=-_TRACEBACK_FRAMES)),
    }
