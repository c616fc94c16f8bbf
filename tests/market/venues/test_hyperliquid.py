"""What Hyperliquid is asked, and how its rows are read; its whole behaviour is shown in ``test_candles``."""

from __future__ import annotations

from typing import Any

import pytest

from synthcity.errors import SourceError
from synthcity.market.venues.hyperliquid import VENUE
from synthcity.market.venues.venue import Request
from tests.market.venues.test_binance import Client

REQUEST = Request(symbol="xyz:GOLD", interval="5m", first=1_763_640_000, last=1_763_640_300)
CANDLE = {"t": 1_763_640_000_000, "T": 1, "s": "xyz:GOLD", "i": "5m", "o": "1", "c": "4", "h": "2", "l": "3", "v": "5"}


def test_it_is_asked_for_a_snapshot_in_milliseconds() -> None:
    client = Client([])
    assert VENUE.candles(client, REQUEST) == []  # type: ignore[arg-type]
    asked = {"coin": "xyz:GOLD", "interval": "5m", "startTime": 1_763_640_000_000, "endTime": 1_763_640_300_000}
    assert client.asked == [("POST", "/info", {"json": {"type": "candleSnapshot", "req": asked}})]


def test_fields_are_read_by_name_as_time_open_high_low_close_volume() -> None:
    short = {"t": 1, "o": "1"}
    found = VENUE.candles(Client([CANDLE, short, 7]), REQUEST)  # type: ignore[arg-type]
    assert found == [[1_763_640_000_000, "1", "2", "3", "4", "5"], short, 7]


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [(None, "knows no coin 'xyz:GOLD'; it may have been renamed"), ({}, "something else than candles; check")],
)
def test_nothing_and_something_else_are_told_apart(answer: Any, sentence: str) -> None:
    with pytest.raises(SourceError, match=sentence):
        VENUE.candles(Client(answer), REQUEST)  # type: ignore[arg-type]
