"""A forecaster by the word that a command line or a file names it with."""

from __future__ import annotations

from pathlib import Path

from synthcity.errors import ConfigError, unknown_name
from synthcity.forecast.baselines import BASELINES, baseline
from synthcity.forecast.bundle import load
from synthcity.forecast.forecaster import Forecaster
from synthcity.forecast.quantise import Quantised


def choose(name: str, *, trust_code: bool = False, quantised: bool = False) -> Forecaster:
    """Return the baseline or the bundle folder called ``name``.

    ``quantised`` is for the network: a baseline then quantises its paths, as the bundle of a winner does.

    Raises:
        ConfigError: there is neither such a baseline nor such a folder.
        BundleError: the bundle is damaged, or holds code that a language model wrote and ``trust_code`` is not set.
    """
    if name in BASELINES:
        return Quantised(baseline(name)) if quantised else baseline(name)
    if not Path(name).exists():
        raise ConfigError(f"{unknown_name('baseline', name, BASELINES)}; nor is there such a bundle folder")
    return load(name, trust_code=trust_code)
