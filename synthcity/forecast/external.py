"""Forecasters from outside this package: found by name, saved into bundles, rebuilt from them.

What an entry point of the group ``synthcity.forecasters`` names, or ``module:Name``, is called without arguments and
must return a ``Forecaster``. One that has learnt something says what in two methods, :class:`Stateful`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, cast, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from synthcity import plugins
from synthcity.errors import BundleError, ConfigError
from synthcity.forecast.bundles.bundle import Savable, save_bundle
from synthcity.forecast.forecaster import Forecaster, Paths, Quantising, covers
from synthcity.market.bars import History, Prices
from synthcity.sn50.prompt import Prompt

KIND = "forecasters"
LOADER = "synthcity.forecast.external:from_bundle"


@runtime_checkable
class Stateful(Protocol):
    """A forecaster that can be taken apart into plain data and put together again."""

    def state(self) -> tuple[Mapping[str, object], Mapping[str, NDArray[np.generic]]]:
        """Return plain JSON data, and arrays by name."""

    @classmethod
    def from_state(cls, config: Mapping[str, object], weights: Mapping[str, NDArray[np.generic]]) -> Forecaster:
        """Rebuild from what ``state`` returned."""


class External:
    """Passes calls through, and knows where the forecaster's code came from, so that a bundle can say so."""

    def __init__(self, forecaster: Forecaster, plugin: plugins.Plugin) -> None:
        self.forecaster = forecaster
        self.plugin = plugin

    @property
    def name(self) -> str:
        return self.forecaster.name

    def simulate(self, history: Prices, prompt: Prompt, *, seed: int | None = None) -> Paths:
        """Return the forecaster's own paths."""
        return np.asarray(self.forecaster.simulate(history, prompt, seed=seed), dtype=np.float64)

    def covers(self, prompt: Prompt) -> bool:
        """Whether the forecaster says that it was made for the prompt, or says nothing."""
        return covers(self.forecaster, prompt)

    def simulate_many(self, history: History, prompts: Sequence[Prompt], *, seed: int | None = None) -> list[Paths]:
        """Return the forecaster's own joint paths."""
        return self.forecaster.simulate_many(history, prompts, seed=seed)

    def save(
        self,
        folder: Path,
        *,
        metrics: Mapping[str, object] | None = None,
        manifest: Mapping[str, object] | None = None,
    ) -> None:
        """Write a bundle with the forecaster's state, if it has one, and with distribution and version of its code."""
        config, weights = self.forecaster.state() if isinstance(self.forecaster, Stateful) else ({}, {})
        plain = {"loader": LOADER, "state": dict(config)}
        save_bundle(
            folder, plain, weights, origin=self, code=[self.plugin.to_dict()], metrics=metrics, manifest=manifest
        )


class ExternalQuantising(External):
    """One that quantises its own paths."""

    def simulate_quantised(
        self, history: History, prompts: Sequence[Prompt], *, seed: int | None = None
    ) -> list[Paths]:
        """Return the forecaster's own quantised paths."""
        return cast(Quantising, self.forecaster).simulate_quantised(history, prompts, seed=seed)


def external(plugin: plugins.Plugin) -> External:
    """Make the forecaster that a plugin names.

    Raises:
        ConfigError: its code cannot be imported or called, or makes no forecaster.
    """
    make = plugins.load(plugin)
    if not callable(make):
        raise ConfigError(f"{plugin.reference} must be a class or function that makes a forecaster, not {make!r}")
    try:
        made = make()
    except Exception as error:
        raise ConfigError(f"{plugin.reference} cannot be called: {type(error).__name__}: {error}") from error
    return _wrapped(made, plugin)


def save(forecaster: Forecaster, folder: Path | str, *, metrics: Mapping[str, object] | None = None) -> None:
    """Write a bundle of any forecaster that can be rebuilt.

    Raises:
        BundleError: it has neither ``save`` nor ``state`` and ``from_state``, or its code lies in ``__main__``.

    Example:
        >>> import synthcity, tempfile
        >>> folder = tempfile.mkdtemp() + "/fhs"
        >>> synthcity.save(synthcity.load("fhs"), folder)
        >>> synthcity.load(folder).name
        'fhs'
    """
    cls = type(forecaster)
    if not isinstance(forecaster, Stateful):
        if isinstance(forecaster, Savable):
            return forecaster.save(Path(folder), metrics=metrics)
        raise BundleError(f"{cls.__name__} has no save method, nor state and from_state; so it cannot be rebuilt")
    try:
        plugin = _plugin_of(cls)
    except ConfigError as error:
        raise BundleError(str(error)) from error
    _wrapped(forecaster, plugin).save(Path(folder), metrics=metrics)


def from_bundle(folder: Path, config: Mapping[str, Any], weights: Mapping[str, NDArray[np.generic]]) -> External:
    """Rebuild from a bundle; see ``bundle.load``, which has provided the code."""
    (required,) = config["requires"]
    plugin = plugins.find(KIND, required["name"]) or plugins.find(KIND, required["reference"])
    if plugin is None:
        raise ConfigError(f"nothing here is named {required['name']}")
    made = plugins.load(plugin)
    if not config["state"] and not weights:
        return external(plugin)
    if not hasattr(made, "from_state"):
        raise ConfigError(f"{plugin.reference} has no from_state, which its bundle needs")
    return _wrapped(cast(type[Stateful], made).from_state(config["state"], weights), plugin)


def _wrapped(made: object, plugin: plugins.Plugin) -> External:
    if not isinstance(made, Forecaster):
        lacking = [name for name in ("name", "simulate", "simulate_many") if not hasattr(made, name)]
        raise ConfigError(f"{plugin.reference} makes no forecaster: {type(made).__name__} lacks {', '.join(lacking)}")
    return (ExternalQuantising if isinstance(made, Quantising) else External)(made, plugin)


def _plugin_of(cls: Callable[..., object]) -> plugins.Plugin:
    """Return the plugin that a class is: one that an entry point names, else its place."""
    reference = f"{cls.__module__}:{cls.__qualname__}"
    declared = (one for one in plugins.installed(KIND).values() if one.reference == reference)
    return next(declared, None) or plugins.plugin_at(KIND, reference)
