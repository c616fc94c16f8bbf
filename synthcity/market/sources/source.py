"""What every source of prices offers."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Protocol

from synthcity.market.bars import Bars


class Source(Protocol):
    """Bars as a venue has them: nothing filled, nothing resampled."""

    @property
    def venue(self) -> str:
        """Name under which the store keeps its bars."""

    def fetch(self, asset: str, resolution: int, start: int, end: int) -> Iterator[Bars]:
        """Yield the finished bars that open in ``[start, end)``, in order of time, piece by piece.

        Minutes that the venue does not have are absent. Each piece is worth storing at once.

        Raises:
            ConfigError: the venue does not trade the asset or has no bars of this resolution.
            DataError: what it holds cannot be prices.
            SourceError: it does not answer, refuses, or no longer has the range.
        """


class VenueSource(Source, Protocol):
    """A source behind a network."""

    @property
    def assets(self) -> Collection[str]:
        """Assets whose official price is made here."""

    def earliest(self, resolution: int) -> int:
        """Opening time (unix seconds) of the oldest bar that can still be asked for."""
