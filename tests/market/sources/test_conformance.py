"""The suite for sources finds who breaks it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from synthcity.conformance import broken
from synthcity.market.bars import Bars
from synthcity.market.check import Tell
from synthcity.market.columns import bars_from_columns
from synthcity.market.sources.conformance import CHECKS, Span
from synthcity.market.sources.source import VenueSource
from synthcity.testing import check_source

SPAN = Span(asset="BTC", resolution=60, start=1_740_787_200, end=1_740_790_800)


class Careless(VenueSource):
    """Answers for every asset, with a bar too many, backwards, and never the same."""

    venue = "no venue"

    def fetch(self, asset: str, resolution: int, start: int, end: int, tell: Tell) -> Iterator[Bars]:
        time = np.arange(start, end + resolution, resolution, dtype=np.int64)
        for part in (time[30:], time[:30]):
            price = np.random.default_rng().uniform(99.0, 101.0, len(part))
            columns = {**dict.fromkeys(("open", "high", "low", "close"), price), "volume": np.ones(len(part))}
            yield bars_from_columns(part, columns, resolution)

    def earliest(self, resolution: int) -> int:
        return SPAN.end


def test_every_check_can_fail() -> None:
    found = broken(CHECKS, Careless(), SPAN)
    assert set(found) == set(CHECKS)
    assert "bars do not come in the order of time" in found["bars_lie_in_the_span_in_order"]


def test_it_is_told_line_by_line() -> None:
    with pytest.raises(AssertionError, match=r"breaks 6 of its checks:\n  its_venue_can_name_a_series: "):
        check_source(Careless(), asset="BTC", resolution=60, start=SPAN.start, end=SPAN.end)
