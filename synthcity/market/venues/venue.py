"""What a venue is: a module of this folder that holds ``VENUE``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from synthcity.errors import ConfigError, unknown_name
from synthcity.market.times import format_resolution
from synthcity.market.venues.http import VenueClient

Row = object
"""A list of open time in milliseconds, open, high, low, close, volume (numbers, or texts that hold them); None where
the venue sent a null; anything else is no candle."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """One question for candles.

    Attributes:
        symbol: the venue's name of the asset.
        interval: the venue's word for the resolution.
        first: opening time of the first candle, unix seconds.
        last: opening time of the last one.
    """

    symbol: str
    interval: str
    first: int
    last: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Venue:
    """One venue: all that is known of it. ``candles.CandleSource`` turns it into a source of bars.

    Attributes:
        name: under which its bars are stored; ``SYNTHCITY_<NAME>_URL`` moves its endpoint.
        url: its endpoint.
        symbols: its names of the assets whose official price it makes.
        intervals: its words for the resolutions (seconds) that it hands out.
        page: the most candles it hands out at a time.
        pause_seconds: between two requests of a long download, to stay below its limits.
        past_pause_seconds: between two requests for the past while the newest prices are followed.
        candles: asks once and returns the rows as they came, in any order; it raises ``SourceError`` where the venue
            does not answer, refuses, or answers with something else than a list.
        num_kept: how many candles it keeps of a resolution, None for all.
        other_region: an endpoint for who is refused because of his region (HTTP 451), or nothing.
    """

    name: str
    url: str
    symbols: Mapping[str, str]
    intervals: Mapping[int, str]
    page: int
    pause_seconds: float
    past_pause_seconds: float
    candles: Callable[[VenueClient, Request], Sequence[Row]]
    num_kept: int | None = None
    other_region: str = ""

    @property
    def setting(self) -> str:
        """The environment variable that moves its endpoint."""
        return f"SYNTHCITY_{self.name.upper()}_URL"

    def symbol(self, asset: str) -> str:
        """Its name of an asset.

        Raises:
            ConfigError: the official price is not made here.
        """
        if asset not in self.symbols:
            raise ConfigError(f"{unknown_name('asset', asset, self.symbols)} (on {self.name})")
        return self.symbols[asset]

    def interval(self, resolution: int) -> str:
        """Its word for a resolution (seconds).

        Raises:
            ConfigError: it is not handed out.
        """
        if resolution not in self.intervals:
            have = " or ".join(map(format_resolution, self.intervals))
            raise ConfigError(f"{self.name} bars are fetched at {have}, not at {format_resolution(resolution)}")
        return self.intervals[resolution]
