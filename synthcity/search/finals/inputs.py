"""Inputs that the user's library keeps, in a search: learned once on the train period, then told to networks.

What was learned has a part in the mix of its own, too. It is learned before the first trial and saved as a bundle in
the run's folder, so that a resumed run goes on with the same, whatever the library holds by then. What a language model
wrote runs in locked children alone, wherever it is asked.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from synthcity.authored.locked.isolation import check_isolation
from synthcity.authored.locked.lock import NotIsolated
from synthcity.errors import DataError, TrialFailed
from synthcity.forecast.bundles.bundle import load
from synthcity.market.dataset import Dataset
from synthcity.market.store.series import SIMULATED
from synthcity.research.informed.choosing import usable
from synthcity.research.informed.columns import with_inputs
from synthcity.research.informed.forecaster import NAME, Informed
from synthcity.research.informed.kept import FEATURE, Kept
from synthcity.research.informed.learning import learn
from synthcity.search.config import SearchConfig
from synthcity.search.data import SearchData
from synthcity.search.journal.recorder import Recorder
from synthcity.search.journal.surroundings import InputsTold

FOLDER = "inputs"


def choose_inputs(config: SearchConfig) -> tuple[list[Kept], list[str]]:
    """Return what the library of ``config`` holds for it, and a sentence for each input that is left out.

    A library that is yet to be made, by research beside the trials, holds nothing.

    Raises:
        ConfigError: there is no such folder.
        NotIsolated: it holds what a language model wrote, and no process can be locked here.
    """
    library = None if config.search.library is None else Path(config.search.library)
    if library is None or (config.search.research.rounds and not library.exists()):
        return [], []
    data = config.data
    kept, notes = usable(
        library,
        config.competition,
        simulated=data.source == SIMULATED,
        test=data.periods.test,
    )
    if any(one.kind == FEATURE for one in kept):
        check_locks()
    return kept, notes


def check_locks() -> None:
    """Refuse a library with the text of a language model where no process can be locked.

    Raises:
        NotIsolated: so it is.
    """
    try:
        check_isolation()
    except NotIsolated as error:
        raise NotIsolated(
            f"search.library holds what a language model wrote, but {error}; or set search.library to null"
        ) from error


def with_library(recorder: Recorder, data: SearchData, config: SearchConfig, folder: Path) -> SearchData:
    """Return ``data`` with what is learned of the library, unless that was done, and told to networks.

    What is used and what is not is told. Where inputs cannot be asked about the windows of networks, these are told
    nothing, and so are those of a run that began before networks were told of inputs.

    Raises:
        ConfigError, NotIsolated: as ``choose_inputs``.
        BundleError: what was learned was lost.
        DataError, InputRefused, Misbehaved: what networks were told when the run began cannot be told again.
        RunError: the run's folder cannot be written.
    """
    told = recorder.last(InputsTold)
    if told is None:
        return data if config.search.library is None else _learned(recorder, data, config, folder)
    if not told["inputs"]:
        return data
    inputs = load(folder / FOLDER, trust_code=True)
    assert isinstance(inputs, Informed)
    found = replace(data, inputs=inputs)
    return replace(found, dataset=_asked(recorder, found, inputs)) if told.get("networks") else found


def _learned(recorder: Recorder, data: SearchData, config: SearchConfig, folder: Path) -> SearchData:
    began = recorder.used_seconds()
    kept, notes = choose_inputs(config)
    inputs, dataset = None, data.dataset
    if kept:
        recorder.emit("stage", name="inputs", message=f"learning what {len(kept)} kept inputs say of the train period")
        inputs, more = learn(
            kept, data.market, data.assets, data.competition, data.periods.train, progress=recorder.count
        )
        notes += more
    seconds = recorder.used_seconds() - began
    if inputs is not None:
        inputs.save(folder / FOLDER, manifest=data.facts.to_manifest())
        try:
            dataset = _asked(recorder, data, inputs)
        except (DataError, TrialFailed) as error:
            notes.append(f"networks are told of no kept inputs: {error}")
    for note in notes:
        recorder.emit("degraded", note=f"{note[0].upper()}{note[1:]}.")
    used = [] if inputs is None else [one.kept for one in inputs.inputs]
    recorder.emit(
        "inputs",
        forecaster=NAME,
        inputs=[{"name": one.name, "made_by": one.kind, "sha256": one.sha256} for one in used],
        seconds=seconds,
        networks=dataset.spec.inputs,
    )
    return replace(data, dataset=dataset, inputs=inputs)


def _asked(recorder: Recorder, data: SearchData, inputs: Informed) -> Dataset:
    message = f"asking {len(inputs.inputs)} kept inputs about every window of networks"
    recorder.emit("stage", name="inputs", message=message)
    return with_inputs(data.dataset, inputs, data.market, recorder.count)
