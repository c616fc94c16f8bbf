"""Forecasters that the user's library keeps, in a search: each is a member for the mix, by its name in the library.

Before the first trial each answers every validation prompt of the search; one that fails at any is left out. Those that
are used are saved as bundles in the run's folder, so that a resumed run goes on with the same, whatever the library
holds by then. They run in locked children alone, wherever they are asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from synthcity.authored.forecaster import KIND, AuthoredForecaster
from synthcity.errors import TrialFailed
from synthcity.forecast.bundles.bundle import load
from synthcity.forecast.forecaster import Forecaster
from synthcity.forecast.quantise import DEFAULT_FACTOR
from synthcity.forecast.weights import MAX_MEMBERS
from synthcity.market.store.series import SIMULATED
from synthcity.research.informed.choosing import KeptForecaster, usable_forecasters
from synthcity.search.config import SearchConfig
from synthcity.search.data import SearchData
from synthcity.search.finals.inputs import check_locks
from synthcity.search.finals.scoring import Scorer
from synthcity.search.journal.parts import InputTold
from synthcity.search.journal.recorder import Recorder
from synthcity.search.journal.surroundings import ForecastersTold

FOLDER = "forecasters"
_PATHS = 250
_TIMED = 8  # prompts


def free_places(config: SearchConfig) -> int:
    """Return the places of a mix beside finalists, the best baseline, and whoever knows the inputs that are kept."""
    search = config.search
    knowing = (search.library is not None) + bool(search.research.rounds)
    return MAX_MEMBERS - 1 - knowing - search.finalists


def choose_forecasters(config: SearchConfig) -> tuple[list[KeptForecaster], list[str]]:
    """Return the forecasters that the library of ``config`` holds for it, and a sentence for each that is left out.

    As many are taken as the mix has places beside the finalists, the surest first.

    Raises:
        NotIsolated: there is one, and no process can be locked here.
    """
    if config.search.library is None:
        return [], []
    data = config.data
    found, notes = usable_forecasters(
        Path(config.search.library),
        config.competition,
        simulated=data.source == SIMULATED,
        test=data.periods.test,
    )
    places = free_places(config)
    for one in found[places:]:
        notes.append(
            f"the kept forecaster {one.name} is left out: {places} are the most beside {config.search.finalists} "
            "networks in a mix; set search.finalists lower"
        )
    if found[:places]:
        check_locks()
    return found[:places], notes


def admit_forecasters(recorder: Recorder, data: SearchData, scorer: Scorer, config: SearchConfig, folder: Path) -> None:
    """Have the library's forecasters answer the prompts of the search, unless that was done, and tell which are used.

    Raises:
        NotIsolated: as ``choose_forecasters``.
        RunError: the run's folder cannot be written.
    """
    if config.search.library is None or recorder.last(ForecastersTold) is not None:
        return
    began = recorder.used_seconds()
    kept, notes = choose_forecasters(config)
    if kept:
        recorder.emit("stage", name="forecasters", message=f"asking {len(kept)} kept forecasters of the library")
    used, failed = answering(kept, scorer, data, folder / FOLDER)
    for note in notes + failed:
        recorder.emit("degraded", note=f"{note[0].upper()}{note[1:]}.")
    recorder.emit("forecasters", forecasters=used, seconds=recorder.used_seconds() - began)


def answering(
    kept: Sequence[KeptForecaster],
    scorer: Scorer,
    data: SearchData,
    folder: Path,
    affords: Callable[[float], bool] | None = None,
) -> tuple[list[InputTold], list[str]]:
    """Have each answer every validation prompt of the search, and save those that do as bundles in ``folder``.

    Args:
        kept: the forecasters.
        scorer: asks them.
        data: has the prompts.
        folder: gets a bundle each.
        affords: whether there is time for one whose answers take so many seconds each; None where there is for all.

    Returns:
        Those, and a sentence for each other one.
    """
    used, notes = list[InputTold](), list[str]()
    prompts = data.validation_prompts(fresh=False)
    widest = replace(prompts[0], num_simulations=DEFAULT_FACTOR * prompts[0].num_simulations)  # as the frozen mix asks
    for one in kept:
        forecaster = AuthoredForecaster(one.source)
        try:
            if affords is not None:
                begin, few = scorer.seconds, prompts[:_TIMED]
                scorer.ask(forecaster, [replace(prompt, num_simulations=_PATHS) for prompt in few])
                if not affords((scorer.seconds - begin) / len(few)):
                    notes.append(f"the kept forecaster {one.name} is left out: the finals have no time for its answers")
                    continue
            scorer.ask(forecaster, [widest, *(replace(prompt, num_simulations=_PATHS) for prompt in prompts)])
        except TrialFailed as error:
            notes.append(f"the kept forecaster {one.name} is left out: {error}")
            continue
        forecaster.save(folder / one.name, manifest=data.facts.to_manifest())
        used.append({"name": one.name, "made_by": KIND, "sha256": one.source.sha256})
    return used, notes


def kept_forecasters(recorder: Recorder, folder: Path) -> Mapping[str, Forecaster]:
    """Return the library's forecasters that are used, by name.

    Raises:
        BundleError: one was lost.
    """
    told = recorder.last(ForecastersTold)
    names = [one["name"] for one in told["forecasters"]] if told else []
    return {name: load(folder / FOLDER / name, trust_code=True) for name in names}
