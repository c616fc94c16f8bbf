"""Learn what events do to volatility from a store of real prices, and write it as the package holds it.

``python -m benchmarks.responses STORE DATE...`` prints one edition for each date, learned from nothing observed after
it; ``synthcity/market/calendar/events/responses.json`` is its output. Minute bars are used where the store has any.
"""

from __future__ import annotations

import json
import sys

from synthcity.market.store import open_store
from synthcity.market.store.responses import learn_from
from synthcity.market.times import parse_time


def main(store: str, *dates: str) -> None:
    """Print the editions as JSON, a line each."""
    lines = [
        json.dumps(learn_from(open_store(store), parse_time(date)).plain(), separators=(",", ":"))
        for date in sorted(dates)
    ]
    print("[" + ",\n".join(lines) + "]")


if __name__ == "__main__":
    main(*sys.argv[1:])
