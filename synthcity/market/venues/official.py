"""Which venue makes an asset's official price."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

import synthcity.market.venues as folder
from synthcity.errors import ConfigError, unknown_name
from synthcity.market.venues.candles import CandleSource, Clock, system_clock
from synthcity.market.venues.http import Patience
from synthcity.market.venues.venue import Venue
from synthcity.settings import Settings


@cache
def known_venues() -> tuple[Venue, ...]:
    """Every ``VENUE`` of the modules of this folder, in the order of their names."""
    modules = [import_module(f"{folder.__name__}.{module.name}") for module in pkgutil.iter_modules(folder.__path__)]
    return tuple(module.VENUE for module in modules if hasattr(module, "VENUE"))


def official_venue(asset: str) -> Venue:
    """Return the venue that the network settles ``asset`` by.

    Raises:
        ConfigError: no venue here makes it.
    """
    for venue in known_venues():
        if asset in venue.symbols:
            return venue
    raise ConfigError(unknown_name("asset", asset, [name for venue in known_venues() for name in venue.symbols]))


def official_source(
    asset: str, settings: Settings, *, patience: Patience | None = None, clock: Clock = system_clock
) -> CandleSource:
    """Return the source that the network settles ``asset`` by.

    Args:
        patience: how long to wait for the venue; by default what its limits ask of a long download.

    Raises:
        ConfigError: no venue here makes it.
    """
    return CandleSource(official_venue(asset), settings, patience=patience, clock=clock)
