"""What every source of prices offers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from synthcity.market.bars import Bars
from synthcity.market.check import Tell


class Source(Protocol):
    """Bars as a venue has them: nothing filled, nothing resampled."""

    @property
    def venue(self) -> str:
        """Name under which the store keeps its bars."""

    def fetch(self, asset: str, resolution: int, start: int, end: int, tell: Tell) -> Iterator[Bars]:
        """Yield the finished bars that open in ``[start, end)``, in order of time, piece by piece.

        Minutes that the venue does not have are absent. Each piece is worth storing at once. A bar that cannot be is
        left out, and ``tell`` called with a sentence about it.

        Raises:
            ConfigError: the venue does not trade the asset or has no bars of this resolution.
            DataError: what it holds cannot be prices.
            SourceError: it does not answer, refuses, answers with something else, or no longer has the range.
        """


class VenueSource(Source, Protocol):
    """A source behind a network."""

    @property
    def past_pause_seconds(self) -> float:
        """Between two requests for the past while the newest prices are followed."""
        return 1.0

    def earliest(self, resolution: int) -> int:
        """Opening time (unix seconds) of the oldest bar that can still be asked for."""
        return 0
