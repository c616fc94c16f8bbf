"""Train the chosen networks once more, on the validation period too.

A search must keep validation apart to choose; the networks that it chose need not. The newest prices are the ones most
like those to come, so a network that goes into the winner is trained afresh on train and validation together, with its
own seed and as many steps as were best on validation. Nothing is chosen here.

=========  ======================================================================
kind       fields
=========  ======================================================================
``refit``  ``id``, ``steps``, ``seconds``, ``state`` (file in the run folder)
=========  ======================================================================
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import ray
import torch

from synthcity.errors import RunError
from synthcity.market.dataset import Dataset, window_starts
from synthcity.search.config import BudgetConfig
from synthcity.search.data import SearchData
from synthcity.search.finalist import Finalist
from synthcity.search.history import TrialRecord
from synthcity.search.recorder import Recorder
from synthcity.search.trainable import TRAINER, load_trainer
from synthcity.search.tuning import trial_seed

FOLDER = "refit"


def refit(
    records: Sequence[TrialRecord], *, recorder: Recorder, data: SearchData, folder: Path, budget: BudgetConfig
) -> dict[str, Finalist]:
    """Refit the networks of ``records`` that the journal does not know as refitted; return all by candidate.

    Raises:
        RunError: a state cannot be written, or is gone.
    """
    done = {event["id"]: event for event in recorder.all("refit")}
    missing = [record for record in records if record.candidate.id not in done]
    if missing:
        recorder.emit("stage", name="refit", message=f"training {len(missing)} on train and validation together")
        shared = ray.put(with_validation(data.dataset, data.periods.train.start, data.periods.validation.end))
        task = ray.remote(num_cpus=1)(_fit)
        pending = {}
        for record in missing:
            best = 1 + int(np.argmin([rung["rung_score"] for rung in record.rungs]))
            seed = trial_seed(budget.seed, record.candidate.index)
            run = {"seed": seed, "num_rungs": budget.rungs, "max_steps": budget.max_steps}
            pending[task.remote(dict(record.candidate.config), shared, best, run)] = record
        while pending:
            (ready,), _ = ray.wait(list(pending), num_returns=1)
            record = pending.pop(ready)
            state, steps, seconds = ray.get(ready)
            path = Path(FOLDER, f"{record.candidate.id}.safetensors")
            _write(folder / path, state)
            recorder.emit("refit", id=record.candidate.id, steps=steps, seconds=seconds, state=str(path))
    done = {event["id"]: event for event in recorder.all("refit")}
    return {r.candidate.id: _read(r.candidate.id, folder / done[r.candidate.id]["state"]) for r in records}


def with_validation(dataset: Dataset, start: int, end: int) -> Dataset:
    """Return ``dataset`` whose training windows fill ``start`` to ``end``."""
    train = {asset: window_starts(dataset.tables[asset], dataset.spec, start, end) for asset in dataset.assets}
    return replace(dataset, train=train)


def _fit(config: dict[str, Any], dataset: Dataset, rungs: int, run: dict[str, Any]) -> tuple[bytes, int, float]:
    torch.set_num_threads(1)
    begin = time.perf_counter()
    trainer = load_trainer(TRAINER)(config, dataset, **run)
    steps = trainer.fit(rungs)
    return trainer.state(), steps, time.perf_counter() - begin


def _write(path: Path, state: bytes) -> None:
    partial = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(exist_ok=True)
        partial.write_bytes(state)
        partial.replace(path)
    except OSError as error:
        raise RunError(f"cannot write {path}: {error.strerror or error}") from error


def _read(name: str, path: Path) -> Finalist:
    try:
        return Finalist(name, path.read_bytes())
    except OSError as error:
        raise RunError(f"the refitted network {path} is gone; delete the run folder and search again") from error
