"""Binance spot: ``GET /api/v3/klines``, no key. Official for BTC, ETH, SOL and XRP.

It keeps everything, and a kline comes every minute, traded or not.
"""

from __future__ import annotations

from collections.abc import Sequence

from synthcity.errors import SourceError
from synthcity.market.venues.http import VenueClient
from synthcity.market.venues.venue import Request, Row, Venue


def _candles(client: VenueClient, request: Request) -> Sequence[Row]:
    """Ask for klines."""
    query: dict[str, str | int] = {
        "symbol": request.symbol,
        "interval": request.interval,
        "limit": VENUE.page,
        "startTime": request.first * 1000,
        "endTime": request.last * 1000,
    }
    answer = client.request("GET", "/api/v3/klines", params=query)
    if not isinstance(answer, list):
        raise SourceError(f"binance answers with something else than klines; check {VENUE.setting}")
    return [row[:6] if isinstance(row, list) else row for row in answer]


VENUE = Venue(
    name="binance",
    url="https://api.binance.com",
    symbols={"BTC": "BTCUSDT", "ETH": "ETHUSDT", "SOL": "SOLUSDT", "XRP": "XRPUSDT"},
    intervals={60: "1m", 300: "5m"},
    page=1000,
    pause_seconds=0.1,
    past_pause_seconds=0.5,  # a thousand klines cost 2 of the 6,000 a minute
    other_region="https://data-api.binance.vision",
    candles=_candles,
)
