"""Statistical baselines: what a network must beat to be worth its trouble."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from synthcity.errors import ConfigError, unknown_name
from synthcity.forecast.baselines.base import Baseline
from synthcity.forecast.baselines.ewma import Ewma, EwmaConfig
from synthcity.forecast.baselines.fhs import Fhs, FhsConfig
from synthcity.forecast.baselines.profile import ProfileConfig
from synthcity.forecast.baselines.reference import Reference, ReferenceConfig
from synthcity.forecast.baselines.sessions import SessionConfig
from synthcity.forecast.baselines.trailing import Trailing, TrailingConfig

BASELINES: Mapping[str, Callable[[], Baseline]] = {
    "reference": Reference,
    "trailing": Trailing,
    "ewma": Ewma,
    "fhs": Fhs,
}


def baseline(name: str) -> Baseline:
    """Return the baseline called ``name`` in its default configuration.

    Raises:
        ConfigError: there is none of that name.
    """
    if name not in BASELINES:
        raise ConfigError(unknown_name("baseline", name, BASELINES))
    return BASELINES[name]()


def from_bundle(folder: Path, config: Mapping[str, Any], weights: Mapping[str, Any]) -> Baseline:
    """Rebuild from a bundle; see ``bundle.load``."""
    values = config["config"]
    match config["name"]:
        case "reference":
            return Reference(ReferenceConfig(**values))
        case "trailing":
            return Trailing(TrailingConfig(**values))
        case "ewma":
            return Ewma(EwmaConfig(**values))
        case "fhs":
            plain = FhsConfig(**{key: value for key, value in values.items() if key not in ("profile", "sessions")})
            sessions = values.get("sessions")  # a bundle from before there were any stays as it was
            return Fhs(
                replace(
                    plain,
                    profile=ProfileConfig(**values["profile"]),
                    sessions=sessions
                    and SessionConfig(**{**sessions, "profile": ProfileConfig(**sessions["profile"])}),
                )
            )
        case name:
            raise ConfigError(unknown_name("baseline", name, BASELINES))
