"""Learn what events do to volatility from a store of real prices, and write it as the package holds it.

``python -m benchmarks.responses STORE DATE...`` prints one edition for each date, learned from nothing observed after
it; ``synthcity/market/calendar/events/responses.json`` is its output. Minute bars are used where the store has any.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from synthcity.market.bars import Bars
from synthcity.market.calendar.events.learning import learn
from synthcity.market.calendar.events.response import Responses
from synthcity.market.store import PriceStore, open_store
from synthcity.market.times import parse_time


def editions(store: PriceStore, times: Sequence[int]) -> list[Responses]:
    """Learn from all that ``store`` holds up to each of ``times``, unix seconds."""
    calendar, fives, minutes = store.calendar(), _bars(store, 300), _bars(store, 60)
    return [learn(fives, calendar, time, minutes) for time in sorted(times)]


def _bars(store: PriceStore, resolution: int) -> dict[str, Bars]:
    assets = [series.asset for series in store.series() if series.resolution == resolution]
    return {asset: store.load(asset, resolution) for asset in assets}


def main(store: str, *dates: str) -> None:
    """Print the editions as JSON, a line each."""
    lines = [
        json.dumps(one.plain(), separators=(",", ":"))
        for one in editions(open_store(store), [parse_time(date) for date in dates])
    ]
    print("[" + ",\n".join(lines) + "]")


if __name__ == "__main__":
    main(*sys.argv[1:])
