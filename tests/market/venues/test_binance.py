"""What Binance is asked, and how its rows are read; its whole behaviour is shown in ``test_candles``."""

from __future__ import annotations

from typing import Any

import pytest

from synthcity.errors import SourceError
from synthcity.market.venues.binance import VENUE
from synthcity.market.venues.venue import Request

REQUEST = Request(symbol="BTCUSDT", interval="1m", first=1_763_640_000, last=1_763_640_060)


class Client:
    def __init__(self, answer: Any) -> None:
        self.answer, self.asked = answer, []

    def request(self, method: str, path: str, **arguments: Any) -> Any:
        self.asked.append((method, path, arguments))
        return self.answer


def test_it_is_asked_in_milliseconds_for_a_page() -> None:
    client = Client([])
    assert VENUE.candles(client, REQUEST) == []  # type: ignore[arg-type]
    query = {"symbol": "BTCUSDT", "interval": "1m", "limit": 1000}
    query |= {"startTime": 1_763_640_000_000, "endTime": 1_763_640_060_000}
    assert client.asked == [("GET", "/api/v3/klines", {"params": query})]


def test_rows_are_cut_to_time_prices_and_volume_and_others_passed_on() -> None:
    kline = [1_763_640_000_000, "1", "2", "0.5", "1.5", "10", 1_763_640_059_999, "15", 3, "5", "7", "0"]
    found = VENUE.candles(Client([kline, "odd"]), REQUEST)  # type: ignore[arg-type]
    assert found == [[1_763_640_000_000, "1", "2", "0.5", "1.5", "10"], "odd"]


@pytest.mark.parametrize("answer", [{}, None, "klines", 7])
def test_something_else_names_the_setting(answer: Any) -> None:
    with pytest.raises(SourceError, match="something else than klines; check SYNTHCITY_BINANCE_URL"):
        VENUE.candles(Client(answer), REQUEST)  # type: ignore[arg-type]
