"""Hyperliquid: ``POST /info`` with ``candleSnapshot``, no key. Official for HYPE, equities, gold and oil.

Only the last 5,000 candles exist; an older range is answered with an empty list, as if nobody had traded.
"""

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
from synthcity.market.times import format_time
from synthcity.settings import Settings

SYMBOLS = {
    "HYPE": "@107",
    "XAU": "xyz:GOLD",
    "WTIOIL": "xyz:CL",
    "SP500": "xyz:SP500",
    "NVDAX": "xyz:NVDA",
    "TSLAX": "xyz:TSLA",
    "AAPLX": "xyz:AAPL",
    "GOOGLX": "xyz:GOOGL",
    "SPCX": "xyz:SPCX",
}
NUM_KEPT = 5000
_SPARE = 10  # candles that may drop out of reach while a download runs
_PER_REQUEST = 1000
_FIELDS = ("t", "o", "h", "l", "c", "v")


class HyperliquidSource:
    """Candles of Hyperliquid perpetuals and spot. Minutes without a trade may be missing."""

    venue = "hyperliquid"

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        patience: Patience | None = None,
        clock: Clock = system_clock,
    ) -> None:
        self._url = (Settings.load() if settings is None else settings).hyperliquid_url
        self._patience = Patience(pause_seconds=1.0) if patience is None else patience
        self._clock = clock

    @property
    def assets(self) -> Collection[str]:
        """Assets with a coin here."""
        return SYMBOLS

    def earliest(self, resolution: int) -> int:
        """The oldest of the last 5,000 candles, less a few to spare."""
        return self._oldest(resolution) + _SPARE * resolution

    def fetch(self, asset: str, resolution: int, start: int, end: int) -> Iterator[Bars]:
        """Yield up to 1,000 bars at a time; see ``Source.fetch``.

        Raises:
            SourceError: also if ``start`` lies before the last 5,000 candles.
        """
        coin = symbol_of(self.venue, SYMBOLS, asset)
        word = interval(self.venue, resolution)
        if start < self._oldest(resolution):
            raise SourceError(
                f"hyperliquid keeps the last {NUM_KEPT} candles only: {asset} {word} from "
                f"{format_time(start)} is gone, ask from {format_time(self.earliest(resolution))} on"
            )
        with VenueClient(self.venue, self._url, "SYNTHCITY_HYPERLIQUID_URL", self._patience) as client:
            for first, last in windows(start, end, resolution, _PER_REQUEST):
                request = {"coin": coin, "interval": word, "startTime": first * 1000, "endTime": last * 1000}
                answer = client.request("POST", "/info", json={"type": "candleSnapshot", "req": request})
                rows = _rows(answer, coin)
                bars = finished_bars(self.venue, rows, resolution, first, last, self._clock())
                if len(bars):
                    yield bars

    def _oldest(self, resolution: int) -> int:
        return (int(self._clock()) // resolution - NUM_KEPT + 1) * resolution


def _rows(answer: Any, coin: str) -> list[list[Any]]:
    if answer is None:
        raise SourceError(f"hyperliquid knows no coin {coin!r}; it may have been renamed or delisted")
    if not isinstance(answer, list) or not all(isinstance(c, dict) and c.keys() >= {*_FIELDS} for c in answer):
        raise SourceError("hyperliquid answers with something else than candles; check SYNTHCITY_HYPERLIQUID_URL")
    return [[candle[name] for name in _FIELDS] for candle in answer]
