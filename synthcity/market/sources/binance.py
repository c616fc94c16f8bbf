"""Binance spot: ``GET /api/v3/klines``, no key. Official for BTC, ETH, SOL and XRP."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from synthcity.errors import SourceError
from synthcity.market.bars import Bars
from synthcity.market.sources.candles import (
    Clock,
    finished_bars,
    interval,
    symbol_of,
    system_clock,
    windows,
)
from synthcity.market.sources.http import Patience, VenueClient
from synthcity.settings import Settings

SYMBOLS = {"BTC": "BTCUSDT", "ETH": "ETHUSDT", "SOL": "SOLUSDT", "XRP": "XRPUSDT"}
_MOST_PER_REQUEST = 1000


class BinanceSource:
    """Klines of Binance spot. A kline comes every minute, traded or not."""

    venue = "binance"

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        patience: Patience | None = None,
        clock: Clock = system_clock,
    ) -> None:
        self._url = (Settings.load() if settings is None else settings).binance_url
        self._patience = Patience() if patience is None else patience
        self._clock = clock

    @property
    def assets(self) -> Collection[str]:
        """Assets with a symbol here."""
        return SYMBOLS

    def earliest(self, resolution: int) -> int:
        """Binance keeps everything."""
        return 0

    def fetch(self, asset: str, resolution: int, start: int, end: int) -> Iterator[Bars]:
        """Yield up to 1,000 bars at a time; see ``Source.fetch``."""
        query = {
            "symbol": symbol_of(self.venue, SYMBOLS, asset),
            "interval": interval(self.venue, resolution),
            "limit": _MOST_PER_REQUEST,
        }
        with VenueClient(self.venue, self._url, "SYNTHCITY_BINANCE_URL", self._patience) as client:
            for first, last in windows(start, end, resolution, _MOST_PER_REQUEST):
                span = {"startTime": first * 1000, "endTime": last * 1000}
                rows = _rows(client.request("GET", "/api/v3/klines", params=query | span))
                bars = finished_bars(self.venue, rows, resolution, first, last, self._clock())
                if len(bars):
                    yield bars


def _rows(answer: Any) -> list[list[Any]]:
    if not isinstance(answer, list) or not all(isinstance(row, list) for row in answer):
        raise SourceError("binance answers with something else than klines; check SYNTHCITY_BINANCE_URL")
    return [row[:6] for row in answer]
