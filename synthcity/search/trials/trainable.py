"""What runs inside a Ray worker: one candidate, rung by rung.

Errors of the candidate are caught here and reported as data, because an exception that escapes costs the worker
process and tells the search nothing. What is left for Ray to repair is the loss of a worker or a machine: then the
trial starts again from its last checkpoint.
"""

from __future__ import annotations

import importlib
import tempfile
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from ray import tune

from synthcity.errors import Fatal
from synthcity.nets.authored.code import install

TRAINER = "synthcity.nets.training:Trainer"
STATE_FILE = "state.safetensors"
_TRACEBACK_FRAMES = 24  # a library may put a dozen of its own below ours


@dataclass(frozen=True, kw_only=True)
class Task:
    """What a worker is told: plain data, small enough to travel with every trial."""

    candidate: str
    config: dict[str, Any]
    seed: int
    num_rungs: int
    max_steps: int
    rung_seconds: float | None = None
    checkpoint: str | None = None
    trainer: str = TRAINER
    code: tuple[dict[str, str], ...] = ()  # of components that a language model wrote

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return asdict(self)


def train_candidate(config: dict[str, Any], *, dataset: Any) -> None:
    """Train one candidate; the function that Ray Tune calls.

    Reports, per rung, the trainer's figures with ``status`` "ok" and a checkpoint; when the candidate fails, one
    report with ``status`` "failed" and ``failure`` {class, message, traceback}.
    """
    task = Task(**config["task"])
    torch.set_num_threads(1)  # one core a worker; a reused worker may come from elsewhere
    try:
        _train(task, dataset)
    except (Fatal, OSError):
        raise  # the storage's fault, not the candidate's: Ray starts the trial again
    except Exception as error:  # noqa: BLE001 - a candidate may fail in any way; the cause goes into the record
        tune.report({"status": "failed", "failure": describe_failure(error)})


def _train(task: Task, dataset: Any) -> None:
    install(task.code)
    trainer = load_trainer(task.trainer)(
        task.config,
        dataset,
        seed=task.seed,
        num_rungs=task.num_rungs,
        max_steps=task.max_steps,
        state=_saved_state(task),
        rung_seconds=task.rung_seconds,
    )
    if trainer.rung >= task.num_rungs:  # killed between its last checkpoint and its last report's arrival
        tune.report({"status": "already done"})
        return
    done = False
    while not done:
        figures = trainer.advance()
        done = bool(figures["done"])
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, STATE_FILE).write_bytes(trainer.state())
            tune.report({"status": "ok", "figures": figures}, checkpoint=tune.Checkpoint.from_directory(folder))


def _saved_state(task: Task) -> bytes | None:
    """Return the newest state: Ray's own after the loss of a worker, the journal's after that of the driver."""
    checkpoint = tune.get_checkpoint()
    if checkpoint is not None:
        return read_state(checkpoint)
    return None if task.checkpoint is None else read_state(tune.Checkpoint(task.checkpoint))


def read_state(checkpoint: tune.Checkpoint) -> bytes:
    """Return a trainer's state from a checkpoint in a folder or in s3://."""
    with checkpoint.as_directory() as folder:
        return Path(folder, STATE_FILE).read_bytes()


def inside(checkpoint: Any, storage: str) -> str:
    """Return a checkpoint's place below ``storage``, so that a run that is moved as a whole finds it again."""
    root = storage.partition("://")[2] or storage
    return str(checkpoint.path).removeprefix(root.rstrip("/")).lstrip("/")


def located(path: str, storage: str) -> tune.Checkpoint:
    """Return the checkpoint that lies at ``path`` below ``storage``, a folder or a URI."""
    return tune.Checkpoint(f"{storage.rstrip('/')}/{path}")


def load_trainer(path: str) -> Callable[..., Any]:
    """Import the trainer class ``module:name``."""
    module, _, name = path.partition(":")
    loaded: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return loaded


def describe_failure(error: BaseException) -> dict[str, str]:
    """Return class, message and the last frames of an exception as plain text."""
    return {
        "class": type(error).__name__,
        "message": str(error),
        "traceback": "".join(traceback.format_exception(error, limit=-_TRACEBACK_FRAMES)),
    }
