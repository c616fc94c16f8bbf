"""Inputs that the user's library keeps, in a search: learned once on the train period, then a member for the mix.

They are learned before the first trial and saved as a bundle in the run's folder, so that a resumed run goes on with
the same, whatever the library holds by then. What a language model wrote runs in locked children alone, wherever the
forecaster is asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from synthcity.authored.locked.isolation import check_isolation
from synthcity.authored.locked.lock import NotIsolated
from synthcity.forecast.bundles.bundle import load
from synthcity.forecast.forecaster import Forecaster
from synthcity.market.store.series import SIMULATED
from synthcity.research.informed.choosing import usable
from synthcity.research.informed.forecaster import NAME
from synthcity.research.informed.kept import FEATURE, Kept
from synthcity.research.informed.learning import learn
from synthcity.search.config import SearchConfig
from synthcity.search.data import SearchData
from synthcity.search.journal.recorder import Recorder
from synthcity.search.journal.surroundings import InputsTold

FOLDER = "inputs"


def choose_inputs(config: SearchConfig) -> tuple[list[Kept], list[str]]:
    """Return what the library of ``config`` holds for it, and a sentence for each input that is left out.

    Raises:
        ConfigError: there is no such folder.
        NotIsolated: it holds what a language model wrote, and no process can be locked here.
    """
    if config.search.library is None:
        return [], []
    data = config.data
    kept, notes = usable(
        Path(config.search.library),
        config.competition,
        simulated=data.source == SIMULATED,
        test=data.periods.test,
    )
    try:
        if any(one.kind == FEATURE for one in kept):
            check_isolation()
    except NotIsolated as error:
        raise NotIsolated(
            f"search.library holds what a language model wrote, but {error}; or set search.library to null"
        ) from error
    return kept, notes


def learn_inputs(recorder: Recorder, data: SearchData, config: SearchConfig, folder: Path) -> None:
    """Learn what the library keeps for this search, unless that was done, and tell what is used and what is not.

    Raises:
        ConfigError, NotIsolated: as ``choose_inputs``.
        RunError: the run's folder cannot be written.
    """
    if config.search.library is None or recorder.last(InputsTold) is not None:
        return
    began = recorder.used_seconds()
    kept, notes = choose_inputs(config)
    forecaster = None
    if kept:
        recorder.emit("stage", name="inputs", message=f"learning what {len(kept)} kept inputs say of the train period")
        forecaster, more = learn(
            kept, data.market, data.assets, data.competition, data.periods.train, progress=recorder.count
        )
        notes += more
    for note in notes:
        recorder.emit("degraded", note=f"{note[0].upper()}{note[1:]}.")
    used = [] if forecaster is None else [one.kept for one in forecaster.inputs]
    if forecaster is not None:
        forecaster.save(folder / FOLDER, manifest=data.facts.to_manifest())
    recorder.emit(
        "inputs",
        forecaster=NAME,
        inputs=[{"name": one.name, "made_by": one.kind, "sha256": one.sha256} for one in used],
        seconds=recorder.used_seconds() - began,
    )


def informed(recorder: Recorder, folder: Path) -> Mapping[str, Forecaster]:
    """Return the forecaster that knows the kept inputs, by name; none where no input is used.

    Raises:
        BundleError: it was lost.
    """
    told = recorder.last(InputsTold)
    if told is None or not told["inputs"]:
        return {}
    return {told["forecaster"]: load(folder / FOLDER, trust_code=True)}
