"""Statistical baselines: what a network must beat to be worth its trouble."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from synthcity.errors import ConfigError, unknown_name
from synthcity.forecast.baselines.base import Baseline
from synthcity.forecast.baselines.ewma import Ewma, EwmaConfig
from synthcity.forecast.baselines.fhs import Fhs, FhsConfig, FhsPlain
from synthcity.forecast.baselines.har import Har, HarConfig
from synthcity.forecast.baselines.reference import Reference, ReferenceConfig
from synthcity.forecast.baselines.trailing import Trailing, TrailingConfig
from synthcity.forecast.bundles.verified import mapping, select
from synthcity.schema import build, key

BASELINES: Mapping[str, Callable[[], Baseline]] = {
    "reference": Reference,
    "trailing": Trailing,
    "ewma": Ewma,
    "fhs-plain": FhsPlain,
    "fhs": Fhs,
    "har": Har,
}

STRONGEST = ("fhs", "har")
"""Those that a verdict is judged against with quantised paths too."""


def baseline(name: str) -> Baseline:
    """Return the baseline called ``name`` in its default configuration.

    Raises:
        ConfigError: there is none of that name.
    """
    if name not in BASELINES:
        raise ConfigError(unknown_name("baseline", name, BASELINES))
    return BASELINES[name]()


def from_bundle(folder: Path, config: Mapping[str, object], weights: Mapping[str, object]) -> Baseline:
    """Rebuild from a bundle; see ``bundle.load``."""
    kept = select(_Kept, config)
    match kept.name:
        case "reference":
            return Reference(build(ReferenceConfig, kept.config))
        case "trailing":
            return Trailing(build(TrailingConfig, kept.config))
        case "ewma":
            return Ewma(build(EwmaConfig, kept.config))
        case "fhs" if "bursts" in kept.config:
            return Fhs(build(FhsConfig, kept.config))
        case "fhs" | "fhs-plain":  # a bundle from before there were bursts, or any sessions, stays as it was
            return FhsPlain(build(FhsConfig, {"sessions": None, "bursts": None, "calendar": False, **kept.config}))
        case "har":
            return Har(build(HarConfig, kept.config))
        case name:
            raise ConfigError(unknown_name("baseline", name, BASELINES))


@dataclass(frozen=True, kw_only=True)
class _Kept:
    """What a bundle's config tells of a baseline."""

    name: str
    config: Mapping[str, object] = key(parse=mapping)
