"""Hyperliquid: ``POST /info`` with ``candleSnapshot``, no key. Official for HYPE, equities, gold and oil.

Only the last 5,000 candles exist; an older range is answered with an empty list, as if nobody had traded. Minutes
without a trade may be missing.
"""

from __future__ import annotations

from collections.abc import Sequence

from synthcity.errors import SourceError
from synthcity.market.venues.http import VenueClient
from synthcity.market.venues.venue import Request, Row, Venue

_FIELDS = ("t", "o", "h", "l", "c", "v")


def _candles(client: VenueClient, request: Request) -> Sequence[Row]:
    """Ask for a snapshot of candles."""
    span = {"startTime": request.first * 1000, "endTime": request.last * 1000}
    asked = {"coin": request.symbol, "interval": request.interval} | span
    answer = client.request("POST", "/info", json={"type": "candleSnapshot", "req": asked})
    if answer is None:
        raise SourceError(f"hyperliquid knows no coin {request.symbol!r}; it may have been renamed or delisted")
    if not isinstance(answer, list):
        raise SourceError(f"hyperliquid answers with something else than candles; check {VENUE.setting}")
    return [
        [row[name] for name in _FIELDS] if isinstance(row, dict) and row.keys() >= {*_FIELDS} else row for row in answer
    ]


VENUE = Venue(
    name="hyperliquid",
    url="https://api.hyperliquid.xyz",
    symbols={
        "HYPE": "@107",
        "XAU": "xyz:GOLD",
        "WTIOIL": "xyz:CL",
        "SP500": "xyz:SP500",
        "NVDAX": "xyz:NVDA",
        "TSLAX": "xyz:TSLA",
        "AAPLX": "xyz:AAPL",
        "GOOGLX": "xyz:GOOGL",
        "SPCX": "xyz:SPCX",
    },
    intervals={60: "1m", 300: "5m"},
    page=1000,
    num_kept=5000,
    pause_seconds=1.0,
    past_pause_seconds=3.0,  # a thousand candles cost 37 of the 1,200 a minute, which the newest prices need too
    candles=_candles,
)
