"""Which venue makes an asset's official price."""

from __future__ import annotations

from synthcity.errors import ConfigError, unknown_name
from synthcity.market.sources.binance import BinanceSource
from synthcity.market.sources.candles import Clock, system_clock
from synthcity.market.sources.http import Patience
from synthcity.market.sources.hyperliquid import HyperliquidSource
from synthcity.market.sources.source import VenueSource
from synthcity.settings import Settings


def official_source(
    asset: str, settings: Settings, *, patience: Patience | None = None, clock: Clock = system_clock
) -> VenueSource:
    """Return the source that the network settles ``asset`` by.

    Args:
        patience: how long to wait for the venue; by default what its limits ask of a long download.

    Raises:
        ConfigError: no venue here makes it.
    """
    sources: list[VenueSource] = [
        BinanceSource(settings, patience=patience, clock=clock),
        HyperliquidSource(settings, patience=patience, clock=clock),
    ]
    for source in sources:
        if asset in source.assets:
            return source
    raise ConfigError(unknown_name("asset", asset, [name for source in sources for name in source.assets]))
