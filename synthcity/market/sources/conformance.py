"""The contract of a source of prices: one suite for what is packaged and what comes from outside.

A check takes the source, and an asset, a resolution and a span of which it has bars; it raises ``conformance.Broken``
with one sentence.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from synthcity.conformance import require, suite
from synthcity.errors import ConfigError
from synthcity.market.bars import Bars
from synthcity.market.check import check_bars
from synthcity.market.columns import concatenate
from synthcity.market.sources.source import VenueSource
from synthcity.market.store.series import Series


@dataclass(frozen=True, kw_only=True)
class Span:
    """What is asked for: bars of ``resolution`` seconds that open in ``[start, end)``, unix seconds."""

    asset: str
    resolution: int
    start: int
    end: int


def its_venue_can_name_a_series(source: VenueSource, span: Span) -> None:
    """The store can keep its bars under its name."""
    Series(asset=span.asset, venue=source.venue, resolution=span.resolution)


def bars_lie_in_the_span_in_order(source: VenueSource, span: Span) -> None:
    """Pieces come in the order of time, on the grid of the resolution, and overlap nowhere."""
    bars = _all(source, span)
    require(len(bars) > 0, f"it has no bar of {span.asset} in the span")
    require((np.diff(bars.time) > 0).all(), "bars do not come in the order of time, each once")
    require(bars.time[0] >= span.start and bars.time[-1] < span.end, "a bar opens outside the span that was asked for")
    require((bars.time % span.resolution == 0).all(), f"a bar does not open at a multiple of {span.resolution} s")


def bars_can_be_prices(source: VenueSource, span: Span) -> None:
    """The store would take them."""
    check_bars(_all(source, span), f"{span.asset} of {source.venue}")


def asking_again_gives_the_same(source: VenueSource, span: Span) -> None:
    """Known bars do not change, and a part of a span has the bars of the whole."""
    whole, again = _all(source, span), _all(source, span)
    middle = span.start + (span.end - span.start) // span.resolution // 2 * span.resolution
    part = _all(source, Span(asset=span.asset, resolution=span.resolution, start=middle, end=span.end))
    at = int(np.searchsorted(whole.time, middle))
    for column in (field.name for field in fields(Bars) if field.name != "resolution"):
        first = getattr(whole, column)
        require(np.array_equal(first, getattr(again, column), equal_nan=True), f"asked again, {column} differs")
        require(
            np.array_equal(first[at:], getattr(part, column), equal_nan=True),
            f"asked for the second half alone, {column} differs",
        )


def what_it_does_not_have_is_refused(source: VenueSource, span: Span) -> None:
    """An asset that it does not know is a ``ConfigError``, not an empty answer."""
    unknown = Span(asset="NOSUCHASSET", resolution=span.resolution, start=span.start, end=span.end)
    try:
        _all(source, unknown)
    except ConfigError:
        return
    require(False, "an asset that it cannot know gives no ConfigError")


def it_knows_how_far_it_reaches(source: VenueSource, span: Span) -> None:
    """``earliest`` is a whole unix second, not after a span of which it has bars."""
    earliest = source.earliest(span.resolution)
    require(isinstance(earliest, int) and earliest <= span.start, f"earliest says {earliest!r}, yet it has older bars")


CHECKS = suite(
    its_venue_can_name_a_series,
    bars_lie_in_the_span_in_order,
    bars_can_be_prices,
    asking_again_gives_the_same,
    what_it_does_not_have_is_refused,
    it_knows_how_far_it_reaches,
)


def _all(source: VenueSource, span: Span) -> Bars:
    told: list[str] = []
    pieces = list(source.fetch(span.asset, span.resolution, span.start, span.end, told.append))
    require(all(piece.resolution == span.resolution for piece in pieces), f"bars are not of {span.resolution} s")
    return concatenate(pieces, span.resolution)
