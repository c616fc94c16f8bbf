"""What research beside the trials kept, as members of the mix: whoever knows its inputs, and each forecaster."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from synthcity.forecast.bundles.bundle import load
from synthcity.forecast.forecaster import Forecaster
from synthcity.search.journal.recorder import Recorder
from synthcity.search.journal.surroundings import Researched

FOLDER, INPUTS, FORECASTERS = "research", "inputs", "forecasters"
NAME = "har-found"


def found_members(recorder: Recorder, folder: Path) -> Mapping[str, Forecaster]:
    """Return them by name.

    Raises:
        BundleError: one was lost.
    """
    told = recorder.last(Researched)
    if told is None:
        return {}
    own = folder / FOLDER
    learned = {NAME: load(own / INPUTS, trust_code=True)} if told["inputs"] else {}
    return {**learned, **{name: load(own / FORECASTERS / name, trust_code=True) for name in told["forecasters"]}}
