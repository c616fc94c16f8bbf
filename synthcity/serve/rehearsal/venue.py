"""The stand-in for the price venues, a program of its own: a simulated market whose prices go on in time.

It speaks as Binance (``GET /api/v3/klines``) and as Hyperliquid (``POST /info``, ``candleSnapshot``) do: numbers as
texts, at most a thousand klines, the last 5,000 candles, the candle that still runs as it stands. Its clock is the
machine's, and can be set ahead (``POST /ahead``): so a day's prices are there after a minute.
"""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cache

import httpx

from synthcity.market.bars import Bars
from synthcity.market.columns import COLUMNS, bars_from_columns
from synthcity.market.simulated import SimulatedConfig, SimulatedMarket
from synthcity.market.venues.official import known_venues

_DIGITS = 8
_NOBODY = json.dumps({"code": -1121, "msg": "Invalid symbol."})


@dataclass(frozen=True, kw_only=True)
class StandIn:
    """A running stand-in."""

    url: str

    def set_ahead(self, seconds: float) -> None:
        """Let its clock be so far ahead of the machine's."""
        httpx.post(f"{self.url}/ahead", json=seconds, trust_env=False, timeout=30.0).raise_for_status()


@contextlib.contextmanager
def venue(config: SimulatedConfig) -> Iterator[StandIn]:
    """Run the stand-in, with the prices of ``config``, on a free port of the loopback until the end of the block."""
    command = [sys.executable, "-m", __name__, json.dumps(asdict(config))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield StandIn(url=process.stdout.readline().strip())
        finally:
            process.kill()


@cache
def series(config: SimulatedConfig, asset: str, resolution: int) -> Bars:
    """All bars of an asset as the stand-in tells them, later ones included, to eight digits after the point."""
    bars = SimulatedMarket(config).bars(asset, resolution)
    return bars_from_columns(bars.time, {name: getattr(bars, name).round(_DIGITS) for name in COLUMNS}, resolution)


def shown(bars: Bars, first: int, last: int, now: float) -> list[tuple[int, dict[str, str]]]:
    """Candles that open in ``[first, last]`` and have begun at ``now``: opening time, numbers as texts."""
    found = []
    for row in range(int(bars.time.searchsorted(first)), int(bars.time.searchsorted(min(last, int(now)), "right"))):
        candle = {name: float(getattr(bars, name)[row]) for name in COLUMNS}
        if int(bars.observed[row]) > now:  # it still runs
            candle |= dict.fromkeys(("high", "low", "close"), candle["open"])
        found.append((int(bars.time[row]), {name: f"{value:.{_DIGITS}f}" for name, value in candle.items()}))
    return found


def main() -> None:
    """Serve until killed, or until nobody holds standard input any more; the first line of output is the address."""
    import os
    import threading

    import uvicorn
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import JSONResponse, Response
    from starlette.routing import Route

    config, ahead = SimulatedConfig(**json.loads(sys.argv[1])), [0.0]
    venues = {one.name: one for one in known_venues()}
    steps = {name: {word: step for step, word in one.intervals.items()} for name, one in venues.items()}
    assets: Mapping[str, dict[str, str]] = {
        name: {symbol: asset for asset, symbol in one.symbols.items()} for name, one in venues.items()
    }

    def candles(name: str, symbol: str, word: str, start: object, end: object) -> list[tuple[int, dict[str, str]]]:
        first, last = int(str(start)) // 1000, int(str(end)) // 1000
        return shown(series(config, assets[name][symbol], steps[name][word]), first, last, time.time() + ahead[0])

    def klines(request: Request) -> Response:
        asked = request.query_params
        symbol, word = asked["symbol"], asked["interval"]
        if symbol not in assets["binance"]:
            return Response(_NOBODY, 400, media_type="application/json")
        step = steps["binance"][word]
        rows = candles("binance", symbol, word, asked["startTime"], asked["endTime"])
        most = min(int(asked.get("limit", 500)), venues["binance"].page)
        return JSONResponse(
            [
                [t * 1000, *(c[name] for name in COLUMNS), (t + step) * 1000 - 1, "0", 1, "0", "0", "0"]
                for t, c in rows[:most]
            ]
        )

    async def info(request: Request) -> Response:
        body = await request.json()
        asked = body["req"]
        coin, word = asked["coin"], asked["interval"]
        if coin not in assets["hyperliquid"]:
            return JSONResponse(None)
        step, kept = steps["hyperliquid"][word], venues["hyperliquid"].num_kept or 0
        oldest = time.time() + ahead[0] - kept * step
        rows = candles("hyperliquid", coin, word, max(asked["startTime"], oldest * 1000 // 1), asked["endTime"])
        return JSONResponse(
            [
                {"t": t * 1000, "T": (t + step) * 1000 - 1, "s": coin, "i": word, "n": 1}
                | {name[0]: value for name, value in c.items()}
                for t, c in rows
            ]
        )

    async def set_ahead(request: Request) -> Response:
        ahead[0] = float(await request.json())
        return Response()

    def end_with_stdin() -> None:
        sys.stdin.read()
        os._exit(0)

    threading.Thread(target=end_with_stdin, daemon=True).start()
    routes = [
        Route("/api/v3/klines", klines),
        Route("/info", info, methods=["POST"]),
        Route("/ahead", set_ahead, methods=["POST"]),
        Route("/", lambda _: Response()),
    ]
    listener = socket.create_server(("127.0.0.1", 0))
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    uvicorn.Server(uvicorn.Config(Starlette(routes=routes), log_level="error")).run(sockets=[listener])


if __name__ == "__main__":
    main()
