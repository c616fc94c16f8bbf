"""Prices of the bridge's store: the newest, those of some days, and what the store holds."""

from __future__ import annotations

import time
from typing import Any

from pydantic import Field
from typing_extensions import TypedDict

from synthcity.bridge.operation import Answer, Asked, Input, Nothing, Operation, Refused
from synthcity.durations import DAY, HOUR

_MOST_POINTS = 1500
_STEPS = (300, 900, HOUR, 4 * HOUR, DAY)


class Price(TypedDict):
    """The newest close of an asset; ``time`` is when it was observed, unix seconds."""

    asset: str
    price: float
    time: int
    age_seconds: int
    venue: str


class Closes(TypedDict):
    """Closes of an asset, each with the unix seconds at which it was observed."""

    asset: str
    venue: str
    step_seconds: int
    points: list[tuple[int, float]]


class Series(TypedDict):
    """One series of a store."""

    asset: str
    venue: str
    resolution_seconds: int
    first: int
    last: int
    bars: int
    gaps: int
    share: float


class StoreTold(TypedDict):
    """What a store holds."""

    series: list[Series]


class Which(Input):
    """Which asset."""

    asset: str = Field(pattern="^[A-Za-z0-9.-]{1,20}$", description="Asset, such as BTC.", examples=["BTC"])


class Days(Which):
    """How far back."""

    days: int = Field(30, ge=1, le=366, description="Days before the newest price.")


def _store(asked: Asked[Any]) -> Any:
    if asked.place.data is None:
        raise Refused("this bridge has no prices; start it with --data STORE, which `synthcity data` fills", 404)
    from synthcity.market.store import open_store

    return open_store(asked.place.data)


def _finest(asked: Asked[Any], asset: str) -> Any:
    """The series of an asset that ends last, the finest of several."""
    store = _store(asked)
    found = [series for series in store.list_series() if series.asset == asset]
    if not found:
        raise Refused(f"the store holds no price of {asset!r}; `store` lists what it holds", 404)
    return store, max(found, key=lambda series: (store.span(series)[1], -series.resolution))


def _price(asked: Asked[Which]) -> Answer:
    store, series = _finest(asked, asked.given.asset)
    last = store.span(series)[1]
    bars = store.load(series.asset, series.resolution, series.venue, start=last - DAY)
    observed = int(bars.observed[-1])
    return {
        "asset": series.asset,
        "price": float(bars.close[-1]),
        "time": observed,
        "age_seconds": max(0, int(time.time()) - observed),
        "venue": series.venue,
    }


def _history(asked: Asked[Days]) -> Answer:
    store, series = _finest(asked, asked.given.asset)
    span = asked.given.days * DAY
    step = next(step for step in _STEPS if step >= series.resolution and span / step <= _MOST_POINTS)
    bars = store.load(series.asset, series.resolution, series.venue, start=store.span(series)[1] - span)
    chosen = bars.observed % step == 0
    points = zip(bars.observed[chosen].tolist(), bars.close[chosen].tolist(), strict=True)
    return {
        "asset": series.asset,
        "venue": series.venue,
        "step_seconds": step,
        "points": [[int(at), float(close)] for at, close in points],
    }


def _holdings(asked: Asked[Nothing]) -> Answer:
    return {
        "series": [
            {
                "asset": series.asset,
                "venue": series.venue,
                "resolution_seconds": series.resolution,
                "first": coverage.first,
                "last": coverage.last,
                "bars": coverage.num_bars,
                "gaps": coverage.num_gaps,
                "share": coverage.share,
            }
            for series, coverage in _store(asked).info()
        ]
    }


OPERATIONS: tuple[Operation[Any], ...] = (
    Operation(
        name="price",
        about="Tell the newest price of an asset, and how old it is.",
        route="/market/price/{asset}",
        takes=Which,
        gives=Price,
        act=_price,
    ),
    Operation(
        name="price_history",
        about="Tell the closes of an asset over some days.",
        route="/market/history/{asset}",
        takes=Days,
        gives=Closes,
        act=_history,
    ),
    Operation(
        name="store",
        about="List the series of prices that the store holds, with their gaps.",
        route="/market/store",
        takes=Nothing,
        gives=StoreTold,
        act=_holdings,
    ),
)
