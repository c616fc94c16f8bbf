"""Stand-in for the price venues: a real server in its own process, with faults that can be switched on.

One minute series a symbol, a seeded random walk, is served as Binance klines (``GET /api/v3/klines``) and as
Hyperliquid candles (``POST /info``) up to a "now" that stands still until it is moved. As the venues do, it sends
numbers as strings, the last candle as far as it has come, at most 1,000 klines a request, and nothing older than the
last 5,000 Hyperliquid candles. Other faults are set by ``POST /faults``; ``GET /requests`` tells what was asked.
For an outage end the process, and begin another one on its port.
"""

from __future__ import annotations

import subprocess
import sys
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import numpy as np

NOW = 1_763_640_150  # 2025-11-20 12:02:30 UTC: half a minute into a candle
NUM_DAYS = 25
NUM_DAYS_AHEAD = 2  # what "now" can be moved by
KEPT_BY_HYPERLIQUID = 5000
BINANCE_SYMBOLS = {"BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT"}
COINS = {
    "@107",
    "xyz:GOLD",
    "xyz:CL",
    "xyz:SP500",
    "xyz:NVDA",
    "xyz:TSLA",
    "xyz:AAPL",
    "xyz:GOOGL",
    "xyz:SPCX",
}
STEPS = {"1m": 60, "5m": 300}
NO_FAULTS: dict[str, Any] = {
    "status": None,  # answer this status ...
    "times": 0,  # ... so many times (-1: always), then well again
    "retry_after": None,  # header that goes with it
    "body": "",  # text that goes with it
    "garbage": None,  # answer 200 with this JSON text
    "missing": [],  # opening times of minutes in which nobody traded
    "delay": 0.0,  # seconds before each answer
    "now": NOW,  # unix seconds
    "late": 0,  # seconds after its end before a candle is shown
    "amended": [],  # opening times of minutes whose close now is their high
    "backwards": False,  # newest candle first
    "unit": 1000,  # of its times in a second: 1 for seconds, 1,000,000 for microseconds
    "most": None,  # candles it sends at most of those that are asked for ...
    "newest": False,  # ... the newest ones instead of the oldest
    "running": False,  # the candle that still runs comes along, asked for or not
    "spoil": {},  # by opening time: "double", "contradict", "null", "zero" or "off grid" for that candle
    "encoding": None,  # Content-Encoding that goes with the garbage
    "drip": 0.0,  # seconds between two bytes of the garbage
}


class PriceServer:
    """Handle of a running stand-in."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._client = httpx.Client(base_url=url)
        self.port = int(url.rpartition(":")[2])

    def faults(self, **faults: Any) -> None:
        """Switch faults on (see ``NO_FAULTS``); without arguments all off."""
        assert faults.keys() <= NO_FAULTS.keys()
        self._client.post("/faults", json=NO_FAULTS | faults).raise_for_status()

    def close(self) -> None:
        """Close the connection that the switches use."""
        self._client.close()

    def requests(self) -> list[dict[str, Any]]:
        """What was asked since the last call of this or of ``faults``."""
        return list(self._client.get("/requests").json())


@contextmanager
def price_server(port: int = 0) -> Iterator[PriceServer]:
    """Run the stand-in in a process of its own on a port of the loopback, 0 for a free one."""
    command = [sys.executable, "-m", "tests.standins.prices", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            server = PriceServer(process.stdout.readline().strip())
            yield server
            server.close()
        finally:
            process.kill()


def candles(symbol: str, seconds: int, missing: set[int]) -> dict[int, dict[str, Any]]:
    """All candles of a symbol by opening time, those after ``NOW`` included, as they are when they are finished."""
    rng = np.random.default_rng(zlib.crc32(symbol.encode()))
    num_minutes = (NUM_DAYS + NUM_DAYS_AHEAD) * 1440
    closes = (50.0 * np.exp(np.cumsum(rng.normal(scale=0.0005, size=num_minutes + 1)))).round(4).tolist()
    first = NOW // 60 * 60 - (NUM_DAYS * 1440 - 1) * 60
    found: dict[int, dict[str, Any]] = {}
    for k in range(num_minutes):
        opens = first + 60 * k
        if opens in missing:
            continue
        before, after, volume = closes[k], closes[k + 1], 1 + k % 7 / 4
        candle = found.get(opens // seconds * seconds)
        if candle is None:
            high, low = max(before, after), min(before, after)
            found[opens // seconds * seconds] = {"o": before, "h": high, "l": low, "c": after, "v": volume}
        else:
            candle.update(h=max(candle["h"], after), l=min(candle["l"], after), c=after, v=candle["v"] + volume)
    return found


def shown(series: dict[int, dict[str, Any]], step: int, faults: dict[str, Any]) -> list[tuple[int, dict[str, Any]]]:
    """What the venue shows of a series at its "now": (opening time, candle), the one that still runs last."""
    now, amended = faults["now"], set(faults["amended"])
    found = []
    for opens, candle in series.items():
        if opens > now or (faults["late"] and now < opens + step + faults["late"]):
            continue
        if opens + step > now:
            candle = {"o": candle["o"], "h": candle["o"], "l": candle["o"], "c": candle["o"], "v": 0.5}
        elif opens in amended:
            candle = candle | {"c": candle["h"]}
        found.append((opens, candle))
    return found


def main() -> None:
    """Serve until killed; the first line of output is the base URL."""
    import asyncio
    import json
    import socket
    from functools import cache

    import uvicorn
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import JSONResponse, Response, StreamingResponse
    from starlette.routing import Route

    faults, log = dict(NO_FAULTS), list[dict[str, Any]]()

    @cache
    def series(symbol: str, seconds: int, missing: tuple[int, ...]) -> dict[int, dict[str, Any]]:
        return candles(symbol, seconds, set(missing))

    def sent(rows: list[Any], opens: int | str, close: int | str) -> Response:
        """What is sent of whole candles, whose opening time and close are at these keys."""
        if faults["most"] is not None:
            rows = rows[-faults["most"] :] if faults["newest"] else rows[: faults["most"]]
        found: list[Any] = []
        for row in rows:
            fault = faults["spoil"].get(str(row[opens] // 1000))
            row = row.copy()
            found.append(None if fault == "null" else row)
            if fault in ("double", "contradict"):
                found.append(row.copy())
            if fault in ("contradict", "zero"):
                row[close] = "0" if fault == "zero" else str(float(row[close]) * 1.0001)
            row[opens] = row[opens] * faults["unit"] // 1000 + 7000 * (fault == "off grid")
        return JSONResponse(found[::-1] if faults["backwards"] else found)

    def unasked(symbol: str, step: int) -> list[tuple[int, dict[str, Any]]]:
        return shown(series(symbol, step, ()), step, faults)[-1:] if faults["running"] else []

    async def faulty(asked: dict[str, Any]) -> Response | None:
        log.append(asked)
        await asyncio.sleep(faults["delay"])
        if faults["status"] and faults["times"]:
            faults["times"] -= 1
            headers = {} if faults["retry_after"] is None else {"Retry-After": str(faults["retry_after"])}
            return Response(faults["body"], faults["status"], headers)
        if faults["garbage"] is None:
            return None
        headers = {} if faults["encoding"] is None else {"Content-Encoding": faults["encoding"]}
        return StreamingResponse(dripped(faults["garbage"]), 200, headers)

    async def dripped(text: str) -> AsyncIterator[str]:
        for piece in text if faults["drip"] else [text]:
            await asyncio.sleep(faults["drip"])
            yield piece

    async def klines(request: Request) -> Response:
        query = dict(request.query_params)
        if (fault := await faulty(query)) is not None:
            return fault
        if query["symbol"] not in BINANCE_SYMBOLS:
            return JSONResponse({"code": -1121, "msg": "Invalid symbol."}, 400)
        step, first, last = STEPS[query["interval"]], int(query["startTime"]), int(query["endTime"])
        extra = unasked(query["symbol"], step)
        rows = [
            [t * 1000, *(f"{c[k]:.8f}" for k in "ohlcv"), (t + step) * 1000 - 1, "0", 1, "0", "0", "0"]
            for t, c in shown(series(query["symbol"], step, tuple(faults["missing"])), step, faults)
            if first <= t * 1000 <= last or (t, c) in extra
        ][: min(int(query.get("limit", 500)), 1000) + len(extra)]
        return sent(rows, 0, 4)

    async def info(request: Request) -> Response:
        body = await request.json()
        asked = body["req"]
        if (fault := await faulty(asked)) is not None:
            return fault
        if body["type"] != "candleSnapshot" or asked["coin"] not in COINS:
            return JSONResponse(None)
        step, name = STEPS[asked["interval"]], asked["coin"]
        extra = unasked(name, step)
        kept = shown(series(name, step, tuple(faults["missing"])), step, faults)[-KEPT_BY_HYPERLIQUID:]
        rows = [
            {"t": t * 1000, "T": (t + step) * 1000 - 1, "s": name, "i": asked["interval"], "n": 3}
            | {k: str(round(c[k], 6)) for k in "ohlcv"}
            for t, c in kept
            if asked["startTime"] <= t * 1000 <= asked["endTime"] or (t, c) in extra
        ]
        return sent(rows, "t", "c")

    async def set_faults(request: Request) -> Response:
        faults.update(json.loads(await request.body()))
        log.clear()
        return Response()

    async def requests(_: Request) -> Response:
        answer = JSONResponse(log)
        log.clear()
        return answer

    routes = [
        Route("/api/v3/klines", klines),
        Route("/info", info, methods=["POST"]),
        Route("/faults", set_faults, methods=["POST"]),
        Route("/requests", requests),
    ]
    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=routes), log_level="warning"))
    server.run(sockets=[listener])


if __name__ == "__main__":
    main()
