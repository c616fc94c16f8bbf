"""A forecaster by the word that a command line, a file or a call names it with."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from synthcity import plugins
from synthcity.errors import BundleError, ConfigError, unknown_name
from synthcity.forecast.baselines import BASELINES, baseline
from synthcity.forecast.bundles.bundle import load
from synthcity.forecast.bundles.verified import MANIFEST
from synthcity.forecast.external import KIND, external
from synthcity.forecast.forecaster import Forecaster
from synthcity.forecast.quantise import Quantised


def choose(name: str | Path, *, trust_code: bool = False, quantised: bool = False) -> Forecaster:
    """Return the baseline, the forecaster of an installed distribution, or the bundle folder called ``name``.

    ``module:Name`` is imported, unless there is such a folder. ``quantised`` is for the network: a forecaster then
    quantises its paths, as the bundle of a winner does.

    Raises:
        ConfigError: there is nothing of this name.
        BundleError: the bundle is damaged, requires what is not installed, or holds code and ``trust_code`` is not set.

    Example:
        >>> import synthcity
        >>> synthcity.load("fhs").name, synthcity.load("fhs", quantised=True).name
        ('fhs', 'fhs+q')
    """
    name = os.path.expanduser(name)
    names = plugins.merged(KIND, BASELINES)
    if name in BASELINES:
        plain: Forecaster = baseline(name)
    elif name in names:
        plain = external(plugins.installed(KIND)[name])
    elif os.path.exists(name):  # unlike that of a Path, False for what no file can be called
        return load(name, trust_code=trust_code)
    elif plugins.is_reference(name):
        plugins.allow(name)
        plain = external(plugins.plugin_at(KIND, name))
    else:
        raise ConfigError(f"{unknown_name('forecaster', name, names)}; nor is there such a bundle folder")
    return Quantised(plain) if quantised else plain


def located(name: str) -> str:
    """Return what other folders and later days find it by: a bundle's folder from the root on, all else as it is.

    A folder that is called like a baseline is none, as for ``choose``.
    """
    if name in BASELINES or name in plugins.installed(KIND) or not os.path.exists(name):
        return name
    return str(Path(name).resolve())


def identify(name: str) -> str:
    """Return what ``choose`` took, for records: a bundle's hash, or kind, name and version of all else.

    Raises:
        BundleError: the bundle is gone meanwhile.
    """
    if name in BASELINES:
        return f"baseline:{name}"
    declared = plugins.installed(KIND).get(name)
    if declared is not None or (plugins.is_reference(name) and not os.path.exists(name)):
        plugin = declared or plugins.plugin_at(KIND, name)
        return ":".join(filter(None, ("forecaster", name, plugin.distribution, plugin.version)))
    try:
        return hashlib.sha256((Path(name) / MANIFEST).read_bytes()).hexdigest()
    except OSError as error:
        raise BundleError(f"cannot read {Path(name) / MANIFEST} ({error.strerror}); put the bundle back") from error
