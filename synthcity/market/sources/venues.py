"""Which venue makes an asset's official price."""

from __future__ import annotations

from synthcity.errors import ConfigError, unknown_name
from synthcity.market.sources.binance import BinanceSource
from synthcity.market.sources.hyperliquid import HyperliquidSource
from synthcity.market.sources.source import VenueSource
from synthcity.settings import Settings


def official_source(asset: str, settings: Settings) -> VenueSource:
    """Return the source that the network settles ``asset`` by.

    Raises:
        ConfigError: no venue here makes it.
    """
    sources: list[VenueSource] = [BinanceSource(settings), HyperliquidSource(settings)]
    for source in sources:
        if asset in source.assets:
            return source
    raise ConfigError(unknown_name("asset", asset, [name for source in sources for name in source.assets]))
