"""Which trials go into the finals, and with which network.

A checkpoint may be lost while a run is away. An older one of the same trial takes its place, or else the next best
trial, and either is told. Who competes is journalled with the checkpoint that was read, so that a resumed final
compares the same networks; where one of those is lost before the choice fell, the finals are held again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

from synthcity.errors import BundleError, RunError
from synthcity.nets.forecaster import Inputs
from synthcity.search.config import BudgetConfig
from synthcity.search.finals.finalist import Finalist
from synthcity.search.finals.ranking import beginner
from synthcity.search.finals.timing import FinalsClock
from synthcity.search.journal.events import Chosen, Contenders, MixTold
from synthcity.search.journal.history import TrialRecord
from synthcity.search.journal.recorder import Recorder
from synthcity.search.trials.tuning import checkpoints_of


@dataclass(frozen=True, kw_only=True)
class Entrants:
    """The trials in the finals, best first, and the networks of those whose checkpoint is whole, by name."""

    records: Sequence[TrialRecord]
    networks: dict[str, Finalist] = field(default_factory=dict)


def enter(
    recorder: Recorder,
    storage: str,
    workers: int,
    clock: FinalsClock,
    budget: BudgetConfig,
    inputs: Inputs | None = None,
) -> Entrants:
    """Return those that were told, or select. After the choice a network may be missing: it may have been refitted.

    Raises:
        RunError: see ``select``.
    """
    told = _told(recorder, budget)
    if told is None:
        return select(recorder, storage, workers, clock, budget, inputs)
    entrants = Entrants(records=[recorder.history.trials[name] for name in told])
    for record in entrants.records:
        try:
            entrants.networks[record.id] = Finalist.from_checkpoint(record, told[record.id], storage, inputs)
        except BundleError:
            if recorder.last(Chosen) is None:
                return select(recorder, storage, workers, clock, budget, inputs)
    return entrants


def select(
    recorder: Recorder,
    storage: str,
    workers: int,
    clock: FinalsClock,
    budget: BudgetConfig,
    inputs: Inputs | None = None,
) -> Entrants:
    """Select as many as there is time for, the best whose state can be read, and tell them.

    Raises:
        RunError: no checkpoint of any trial can be read, or the storage does not answer.
    """
    saved = recorder.history.saved
    wanted = len(clock.affordable(saved[: budget.finalists], workers))
    first = beginner(recorder.history)
    if wanted > 1 and first is not None and first not in saved[:wanted]:  # what all others must beat
        saved = [*saved[: wanted - 1], first, *(record for record in saved[wanted - 1 :] if record != first)]
    found: dict[str, tuple[Finalist, str]] = {}
    lost: dict[str, str] = {}
    for record in saved:
        if len(found) == wanted:
            break
        paths, faults = checkpoints_of(record.id, recorder), list[str]()
        for path in paths:
            try:
                found[record.id] = Finalist.from_checkpoint(record, path, storage, inputs), path
                break
            except BundleError as error:
                faults.append(str(error))
        if record.id not in found:
            lost[record.id] = faults[0]
        elif faults:
            _tell(recorder, f"{faults[0]}; it goes into the finals as it was before, from {found[record.id][1]}.")
    if lost and not found:
        raise RunError(
            f"{next(iter(lost.values()))}, and so is every other; put the checkpoints back and continue with --resume"
        )
    next_best = [name for name in found if name not in {record.id for record in saved[:wanted]}]
    for fault, name in zip_longest(lost.values(), next_best):
        who = "no other trial is left to take its place" if name is None else f"trial {name} takes its place"
        _tell(recorder, f"{fault}, and no older one is whole; in the finals {who}.")
    recorder.emit("contenders", ids=list(found), checkpoints={name: path for name, (_, path) in found.items()})
    records = [recorder.history.trials[name] for name in found]
    return Entrants(records=records, networks={name: network for name, (network, _) in found.items()})


def _told(recorder: Recorder, budget: BudgetConfig) -> dict[str, str] | None:
    """Return where the state of each contender lies as the journal tells it, None if nobody was told yet."""
    trials, told = recorder.history.trials, recorder.last(Contenders)
    if told is not None:
        paths = told.get("checkpoints", {})
        return {name: paths.get(name) or trials[name].checkpoint or "" for name in told["ids"]}
    if recorder.last(MixTold) is not None:  # a run of an earlier version, which did not tell
        return {record.id: record.checkpoint or "" for record in recorder.history.saved[: budget.finalists]}
    return None


def _tell(recorder: Recorder, note: str) -> None:
    recorder.emit("degraded", note=f"{note[0].upper()}{note[1:]}", lost=True)
