"""Train the chosen networks once more, on the validation period too, and several times.

A search must keep validation apart to choose; the networks that it chose need not. The newest prices are the ones most
like those to come, so what goes into the winner is trained afresh on train and validation together, for one whole
schedule of as many steps as were best on validation, at least half of those of the search. Trainings that
differ in their seed alone miss each other's luck: a single network is trained four times and mixed, a mix has about
four networks in all. Nothing is chosen here.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import ray
import torch

from synthcity.errors import BundleError, RunError
from synthcity.files import atomic_write
from synthcity.forecast.forecaster import Forecaster
from synthcity.forecast.mixing import Mix
from synthcity.market.dataset import Dataset, window_starts
from synthcity.nets.authored.code import codes_of, install
from synthcity.nets.config import NetConfig
from synthcity.nets.forecaster import Inputs
from synthcity.nets.training import Trainer
from synthcity.search.candidates.candidate import Config
from synthcity.search.config import BudgetConfig
from synthcity.search.data import SearchData
from synthcity.search.finals.finalist import Finalist
from synthcity.search.journal.events import RefitTold
from synthcity.search.journal.history import TrialRecord
from synthcity.search.journal.record import own_score
from synthcity.search.journal.recorder import Recorder
from synthcity.search.trials.tuning import trial_seed

FOLDER = "refit"
NETWORKS = 4


def refit(
    records: Sequence[TrialRecord],
    seconds: float | None = None,
    *,
    recorder: Recorder,
    data: SearchData,
    folder: Path,
    budget: BudgetConfig,
) -> dict[str, Forecaster]:
    """Refit the networks of ``records``, as far as the journal does not know them as refitted; return all by candidate.

    After ``seconds`` (None: whenever it takes) what still trains is given up; a network none of whose trainings was
    done by then is left out. A state that was lost meanwhile is trained again, the same from the same seed, however
    long it takes: what was frozen may rest on it.

    Raises:
        RunError: a state cannot be written, or not be read again.
    """
    copies = max(1, NETWORKS // max(1, len(records)))
    # the first training of every network before the second of any: time may not last for all
    wanted = [(record, copy) for copy in range(copies) for record in records]
    ready, lost = _done(wanted, recorder, folder, data.inputs)
    missing = [each for each in wanted if _key(each) not in ready and _key(each) not in lost]
    for fault in lost.values():
        recorder.emit("degraded", note=f"{fault}; it was trained again.", lost=True)
    for some, limit in ([each for each in wanted if _key(each) in lost], None), (missing, seconds):
        if some and limit != 0.0:
            names = ", ".join(dict.fromkeys(record.id for record, _ in some))
            message = f"training {names} afresh on train and validation together, {len(some)} trainings"
            recorder.emit("stage", name="refit", message=message)
            _train(some, limit, recorder=recorder, data=data, folder=folder, budget=budget)
            ready, lost = _done(wanted, recorder, folder, data.inputs)
    if lost:
        raise RunError(f"{next(iter(lost.values()))} again; mend the disk of {folder} and continue with --resume")
    by_record = {r.id: [ready[r.id, copy] for copy in range(copies) if (r.id, copy) in ready] for r in records}
    return {name: _together(name, networks) for name, networks in by_record.items() if networks}


def _key(wanted: tuple[TrialRecord, int]) -> tuple[str, int]:
    return wanted[0].id, wanted[1]


def _done(
    wanted: Sequence[tuple[TrialRecord, int]], recorder: Recorder, folder: Path, inputs: Inputs | None
) -> tuple[dict[tuple[str, int], Finalist], dict[tuple[str, int], str]]:
    """Return the networks that the journal knows as trained again, and of those that are lost how."""
    states = {(event["id"], event["copy"]): event["state"] for event in recorder.all(RefitTold)}
    ready, lost = dict[tuple[str, int], Finalist](), dict[tuple[str, int], str]()
    for record, copy in wanted:
        if (path := states.get((record.id, copy))) is not None:
            try:
                ready[record.id, copy] = Finalist.from_state(record, (folder / path).read_bytes(), inputs)
            except (OSError, BundleError) as error:
                lost[record.id, copy] = f"The refitted network {path} of trial {record.id} is lost ({error})"
    return ready, lost


def _train(
    missing: Sequence[tuple[TrialRecord, int]],
    seconds: float | None,
    *,
    recorder: Recorder,
    data: SearchData,
    folder: Path,
    budget: BudgetConfig,
) -> None:
    until = None if seconds is None else time.monotonic() + seconds
    shared = ray.put(with_validation(data.dataset, data.periods.train.start, data.periods.validation.end))
    task = ray.remote(num_cpus=1)(fit)
    pending = {}
    for record, copy in missing:
        config = record.candidate.config
        seed = _seed(budget.seed, record, copy)
        handle = task.remote(dict(config), codes_of(config), shared, seed, _steps(record, budget))
        pending[handle] = (record.id, copy)
    recorder.count(0, len(missing))
    while pending:
        left = None if until is None else max(0.0, until - time.monotonic())
        ready, _ = ray.wait(list(pending), num_returns=1, timeout=left)
        if not ready:
            for handle in pending:
                ray.cancel(handle, force=True)
            return
        name, copy = pending.pop(ready[0])
        state, steps, spent = ray.get(ready[0])
        path = Path(FOLDER, f"{name}-{copy}.safetensors")
        _write(folder / path, state)
        recorder.count(len(missing) - len(pending), len(missing))
        recorder.emit("refit", id=name, copy=copy, steps=steps, seconds=spent, state=str(path))


def _steps(record: TrialRecord, budget: BudgetConfig) -> int:
    best = min(record.rungs, key=own_score)
    planned = NetConfig.from_dict(record.candidate.config).training.trained(budget.max_steps)
    return max(int(best["steps"]), planned // 2)


def _seed(seed: int, record: TrialRecord, copy: int) -> int:
    """Other networks, other seeds: mixed they are to miss each other's luck."""
    return (trial_seed(seed, record.candidate.index) + copy) % 2**32


def _together(name: str, networks: Sequence[Finalist]) -> Forecaster:
    return networks[0] if len(networks) == 1 else Mix(networks, [1 / len(networks)] * len(networks), name=name)


def with_validation(dataset: Dataset, start: int, end: int) -> Dataset:
    """Return ``dataset`` whose training windows fill ``start`` to ``end``."""
    train = {asset: window_starts(dataset.tables[asset], dataset.spec, start, end) for asset in dataset.assets}
    return replace(dataset, train=train)


def fit(
    config: Config, code: Sequence[dict[str, str]], dataset: Dataset, seed: int, steps: int
) -> tuple[bytes, int, float]:
    """Train one network for ``steps``, in a worker; return its state, the steps and the seconds."""
    torch.set_num_threads(1)
    install(code)
    begin = time.perf_counter()
    network = NetConfig.from_dict(config)
    trainer = Trainer(network, dataset, seed=seed, num_rungs=1, max_steps=network.training.whole(steps))
    trainer.fit(rungs=1)
    return trainer.state(), steps, time.perf_counter() - begin


def _write(path: Path, state: bytes) -> None:
    try:
        atomic_write(path, state)
    except OSError as error:
        raise RunError(f"cannot write {path}: {error.strerror or error}") from error
