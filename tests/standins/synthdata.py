"""Stand-in for the network's public API: a real server in its own process.

It serves the scores, prompts and realised paths that a test gives it (``POST /table``) the way the network does: 404
for nothing, 400 for a span that is too long, 429 above two requests a second, lists at top level, rows without the
prompt's start, paths by the exact start and once they are over.
``POST /faults`` switches faults on, ``GET /requests`` tells what was asked.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

import httpx

NO_FAULTS: dict[str, Any] = {
    "status": None,  # answer this status ...
    "times": 0,  # ... so many times (-1: always), then well again
    "retry_after": None,  # header that goes with it
    "garbage": None,  # answer 200 with this text
    "cut": 0,  # so many answers end in the middle of their body
    "delay": 0.0,  # seconds before each answer
    "now": None,  # unix seconds: of prompts that end less than 90 s before there is no path yet
    "missing": [],  # minutes of which every path has a null
    "wrong": {},  # by start of a prompt: what its prices are multiplied by, or a text in their place
    "requests_per_second": 2,
}


class SynthServer:
    """Handle of a running stand-in."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._client = httpx.Client(base_url=url)

    def table(
        self,
        *,
        scores: list[dict[str, Any]],
        prompts: list[dict[str, Any]],
        closes: Mapping[str, tuple[int, list[float]]] = MappingProxyType({}),
    ) -> None:
        """Set what it knows.

        Args:
            scores: rows as the network gives them, with ``time_increment`` beside.
            prompts: ``asset``, ``start_time`` (unix seconds), ``time_length``, ``time_increment``.
            closes: by asset, the opening time of the first minute candle and the closes from there on, of which the
                prompts' paths are made.
        """
        table = {"scores": scores, "prompts": prompts, "closes": dict(closes)}
        self._client.post("/table", json=table).raise_for_status()

    def faults(self, **faults: Any) -> None:
        """Switch faults on (see ``NO_FAULTS``); without arguments all off."""
        assert faults.keys() <= NO_FAULTS.keys()
        self._client.post("/faults", json=NO_FAULTS | faults).raise_for_status()

    def requests(self) -> list[dict[str, Any]]:
        """What was asked since the last call of this or of ``faults``, each with its ``path`` and ``status``."""
        return list(self._client.get("/requests").json())

    def close(self) -> None:
        """Close the connection that the switches use."""
        self._client.close()


@contextmanager
def synth_server() -> Iterator[SynthServer]:
    """Run the stand-in in a process of its own on a free port of the loopback."""
    command = [sys.executable, "-m", "tests.standins.synthdata"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            server = SynthServer(process.stdout.readline().strip())
            yield server
            server.close()
        finally:
            process.kill()


def main() -> None:
    """Serve until killed; the first line of output is the base URL."""
    import asyncio
    import json
    import socket
    import time
    from datetime import UTC, datetime

    import uvicorn
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import JSONResponse, Response
    from starlette.routing import Route

    faults, log = dict(NO_FAULTS), list[dict[str, Any]]()
    table: dict[str, Any] = {"scores": [], "prompts": [], "closes": {}}
    served: list[float] = []

    def seconds(text: str) -> float:
        return datetime.fromisoformat(text).timestamp()

    def refusal() -> Response | None:
        now = time.monotonic()
        served[:] = [at for at in served if now - at < 1]
        if len(served) >= faults["requests_per_second"]:
            return Response(status_code=429)
        served.append(now)
        if faults["status"] and faults["times"]:
            faults["times"] -= 1
            headers = {"Retry-After": faults["retry_after"]} if faults["retry_after"] else None
            return Response(status_code=faults["status"], headers=headers)
        return None if faults["garbage"] is None else Response(faults["garbage"])

    def chosen(rows: list[dict[str, Any]], query: dict[str, str], key: str, longest_days: int) -> Any:
        """Rows of the asked span and kind, or a refusal."""
        first, last = seconds(query["from"]), seconds(query["to"])
        if last - first > longest_days * 86400 or last < first:
            return JSONResponse({"detail": f"range exceeds {longest_days} days"}, 400)
        found = [
            row
            for row in rows
            if row["asset"] == query.get("asset", "BTC")
            and str(row["time_length"]) == query["time_length"]
            and str(row["time_increment"]) == query["time_increment"]
            and first <= (seconds(row[key]) if isinstance(row[key], str) else row[key]) <= last
        ]
        return found or Response(status_code=404)

    def path(query: dict[str, str]) -> Response:
        """The realised path of one prompt, where there was one and it is over."""
        start, length, step = seconds(query["start_time"]), int(query["time_length"]), int(query["time_increment"])
        asked = {"asset": query["asset"], "start_time": start, "time_length": length, "time_increment": step}
        is_over = faults["now"] is None or start + length + 90 <= faults["now"]
        if asked not in table["prompts"] or query["asset"] not in table["closes"] or not is_over:
            return Response(status_code=404)
        first, closes = table["closes"][query["asset"]]
        wrong = faults["wrong"].get(str(round(start)), 1.0)
        prices: list[Any] = []
        for minute in range(round(start), round(start) + length + 1, step):
            row = (minute - first) // 60
            is_there = 0 <= row < len(closes) and minute not in faults["missing"]
            prices.append((wrong if isinstance(wrong, str) else wrong * closes[row]) if is_there else None)
        return JSONResponse({"real_prices": prices})

    async def answer(request: Request) -> Response:
        await asyncio.sleep(faults["delay"])
        response = await whole(request)
        if faults["cut"] and response.status_code == 200:
            faults["cut"] -= 1
            response.body = bytes(response.body)[: len(response.body) // 2]  # its Content-Length stays
        return response

    async def whole(request: Request) -> Response:
        query, name = dict(request.query_params), request.url.path.rpartition("/")[2]
        response = refusal()
        if response is None and name == "realized-path":
            response = path(query)
        elif response is None and name == "historical":
            found = chosen(table["scores"], query, "scored_time", 7)
            if isinstance(found, list):
                kept = ("asset", "crps", "miner_uid", "prompt_score", "scored_time", "time_length")
                found = JSONResponse([{key: row[key] for key in kept} for row in found])
            response = found
        elif response is None:
            found = chosen(table["prompts"], query, "start_time", 60)
            if isinstance(found, list):
                times = [datetime.fromtimestamp(row["start_time"], UTC) for row in found]
                found = JSONResponse({"start_times": [f"{time:%Y-%m-%dT%H:%M:%SZ}" for time in times]})
            response = found
        log.append(query | {"path": request.url.path, "status": response.status_code})
        return response

    async def set_table(request: Request) -> Response:
        table.update(json.loads(await request.body()))
        return Response()

    async def set_faults(request: Request) -> Response:
        faults.update(json.loads(await request.body()))
        log.clear()
        served.clear()
        return Response()

    async def requests(_: Request) -> Response:
        told = JSONResponse(log)
        log.clear()
        return told

    routes = [
        Route("/validation/scores/historical", answer),
        Route("/validation/prompts", answer),
        Route("/validation/realized-path", answer),
        Route("/table", set_table, methods=["POST"]),
        Route("/faults", set_faults, methods=["POST"]),
        Route("/requests", requests),
    ]
    listener = socket.create_server(("127.0.0.1", 0))
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=routes), log_level="critical"))
    server.run(sockets=[listener])


if __name__ == "__main__":
    main()
