"""Requests of every kind, made from the registry, at the whole bridge: what is wrong is told, and nothing breaks.

    python -m tests.bridge.storm --requests 20000 --seed 1

Each answer must be JSON and no 5xx; one that is no error must be what its operation's schema says; nothing that writes
is done without the key. Jobs are noted and not started.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import quote, unquote, urlencode

from jsonschema import Draft202012Validator

from synthcity.bridge.app import MCP
from synthcity.bridge.gone import GONE
from synthcity.bridge.jobs import board
from synthcity.bridge.jobs.job import OUTPUT, Job
from synthcity.bridge.operation import Operation
from synthcity.bridge.place import Place
from synthcity.bridge.registry import operations
from synthcity.bridge.server import guarded
from synthcity.settings import Secret

KEY = "a-key-of-the-storm-alone"
HOST = "127.0.0.1:8377"
WORDS = ["latest", "sweep", "BTC", "ETH", "lstm", "gbm", "tcn", "lstm_gbm", "quickstart", "0" * 12, "run", "local"]
ODD = [
    "",
    " ",
    "..",
    "../../etc/passwd",
    "a/b",
    "%00",
    "\0",
    "é",
    "\ud800",
    "x" * 5000,
    "os:system",
    "NaN",
    "'; --",
    "{}",
]
ODD_BODIES = [b"", b"{", b"[]", b"null", b'{"a": 1e999}', b"\xff", b"[" * 50_000, b'{"a":1,"a":2}']
ODD_PATHS = [
    "/",
    "/docs",
    "/runs/sweep",
    "/runs/live",
    "/runs/live/report",
    MCP,
    "/openapi.json",
    *GONE,
    f"/jobs/{'0' * 12}/events",
    "/%C3%A9",
]
LIKELY = {"asset": ["BTC"], "id": ["sweep", "live", "latest", *(f"{number:012x}" for number in range(3))]}
ODD_NUMBERS: list[Any] = [0, -1, 1, 2**63, -(2**63), 10**40, 1.5, True, None, "7", [], {}]


@dataclass
class Storm:
    """What came of a storm."""

    requests: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    reached: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    started: int = 0
    unkeyed: int = 0


@dataclass(frozen=True)
class Sent:
    """One request."""

    method: str
    path: str
    query: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    operation: Operation[Any] | None
    has_key: bool


def value(schema: dict[str, Any], rng: random.Random) -> Any:
    """A value for a schema, mostly a right one."""
    if rng.random() < 0.1:
        return rng.choice([*ODD_NUMBERS, *ODD])
    if "anyOf" in schema:
        return value(rng.choice(schema["anyOf"]), rng)
    if "enum" in schema:
        return rng.choice(schema["enum"])
    kind = schema.get("type")
    if kind == "integer":
        low, high = schema.get("minimum", 0), schema.get("maximum", schema.get("exclusiveMaximum", 100))
        return rng.choice([low, min(high, low + 3), high, low - 1, high + 1])
    if kind == "boolean":
        return rng.random() < 0.5
    if kind == "array":
        return [value(schema.get("items", {}), rng) for _ in range(rng.randint(0, 3))]
    if kind == "object":
        return {rng.choice([*WORDS, "d_model", "block0.n_heads"]): rng.choice([1, 32, 0.5, "x"]) for _ in range(2)}
    return None if kind == "null" else rng.choice(WORDS)


def make(rng: random.Random) -> Sent:
    """One request of any kind."""
    operation = rng.choice(list(operations().values()))
    given = {
        name: rng.choice(LIKELY[name]) if name in LIKELY and rng.random() < 0.6 else value(schema, rng)
        for name, schema in operation.input_schema.get("properties", {}).items()
        if rng.random() < 0.6 or name in operation.in_path
    }
    if rng.random() < 0.05:
        given[rng.choice(ODD)] = 1
    in_path = {name: quote(_text(given.pop(name)), safe="") for name in operation.in_path}
    path, method = operation.address(**in_path), operation.method
    if rng.random() < 0.05:
        path = rng.choice(ODD_PATHS)
    if rng.random() < 0.05:
        method = rng.choice(["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE"])
    body = json.dumps(given).encode() if method == "POST" else b""
    if method == "POST" and rng.random() < 0.1:
        body = rng.choice([*ODD_BODIES, rng.randbytes(40)])
    query = urlencode({_text(name): _text(each) for name, each in given.items()}).encode() if method == "GET" else b""
    key = rng.choice([KEY] * 6 + [None, None, "wrong", ""])
    headers: dict[str, str | None] = {"host": HOST, "x-api-key": key, "x-bot-id": rng.choice([None, "a", "b", "é"])}
    if method not in ("GET", "HEAD"):
        headers |= {"content-type": "application/json", "content-length": str(len(body))}
    if rng.random() < 0.1:
        name = rng.choice(["host", "origin", "content-type", "content-length", "authorization", "last-event-id"])
        headers[name] = rng.choice(
            [*(odd for odd in ODD if odd.isascii()), "evil.example", "-1", "Bearer x", "http://e"]
        )
    if rng.random() < 0.1:
        headers["idempotency-key"] = rng.choice(["k", "l", "", "x" * 300])
    pairs = [(name.encode(), each.encode("latin-1", "replace")) for name, each in headers.items() if each is not None]
    return Sent(method, path, query, tuple(pairs), body, operation if path != "/" else None, key == KEY)


def _text(given: Any) -> str:
    text = given if isinstance(given, str) else json.dumps(given)
    return text.encode("utf-8", "replace").decode()


async def send(app: Any, sent: Sent) -> tuple[int, bytes]:
    """Send a request straight to the application, as the server would."""
    answer: list[Any] = []
    over = asyncio.Event()

    async def receive() -> Any:
        if over.is_set():
            return {"type": "http.disconnect"}
        over.set()
        return {"type": "http.request", "body": sent.body, "more_body": False}

    async def reply(message: Any) -> None:
        answer.append(message)

    raw = sent.path.encode("ascii", "replace")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": sent.method,
        "path": unquote(sent.path),
        "raw_path": raw,
        "root_path": "",
        "scheme": "http",
        "query_string": sent.query,
        "headers": list(sent.headers),
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8377),
        "state": {},
    }
    await app(scope, receive, reply)
    return answer[0]["status"], b"".join(message.get("body", b"") for message in answer[1:])


def rage(place: Place, requests: int, seed: int) -> Storm:
    """Send so many requests and return what came of them."""
    rng, storm = random.Random(seed), Storm()
    checks = {name: Draft202012Validator(one.output_schema) for name, one in operations().items()}
    keyed = False

    def launch(folder: Path, job: Job) -> None:
        storm.started += 1
        storm.unkeyed += not keyed
        (folder / OUTPUT).touch()

    async def run() -> None:
        nonlocal keyed
        app = guarded(place, Secret(KEY))
        async with lifespan(app):
            for _ in range(requests):
                sent = make(rng)
                keyed = sent.has_key
                storm.requests += 1
                try:
                    status, body = await send(app, sent)
                except Exception as error:  # noqa: BLE001  # whatever escapes is what is looked for
                    storm.problems.append(f"{sent.method} {sent.path[:80]}: {type(error).__name__}: {error}")
                    continue
                storm.statuses[status] += 1
                judge(storm, checks, sent, status, body)

    with mock.patch.object(board, "_launch", launch), mock.patch.object(board, "MOST_KEPT", 50):
        asyncio.run(run())
    return storm


def judge(storm: Storm, checks: dict[str, Draft202012Validator], sent: Sent, status: int, body: bytes) -> None:
    """Hold one answer against what the bridge promises."""
    where = f"{sent.method} {sent.path[:80]} {sent.body[:80]!r}: {status}"
    if status >= 500:
        storm.problems.append(f"{where}: {body[:200]!r}")
    elif status >= 400 and sent.method != "HEAD" and not sent.path.startswith(MCP):
        with contextlib.suppress(ValueError):
            if set(json.loads(body)) == {"error"}:
                return
        storm.problems.append(f"{where} is no error as promised: {body[:200]!r}")
    elif status in (200, 202) and sent.operation and sent.method == sent.operation.method:
        told = json.loads(body) if body.startswith(b"{") else None  # else a page
        if told is not None and "openapi" not in told:
            storm.reached[sent.operation.name] += 1
            for error in checks[sent.operation.name].iter_errors(told):
                storm.problems.append(f"{where} is not as described: {error.message[:200]}")


@contextlib.asynccontextmanager
async def lifespan(app: Any) -> Any:
    """Start and end an application as a server does."""
    incoming: asyncio.Queue[Any] = asyncio.Queue()
    outgoing: asyncio.Queue[Any] = asyncio.Queue()
    scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
    task = asyncio.create_task(app(scope, incoming.get, outgoing.put))
    await incoming.put({"type": "lifespan.startup"})
    assert (await outgoing.get())["type"] == "lifespan.startup.complete"
    try:
        yield
    finally:
        await incoming.put({"type": "lifespan.shutdown"})
        await task


def main() -> None:
    """Print the figures of a storm; the exit code says whether all was well."""
    from tests.bridge.conftest import place_in

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        begin = time.monotonic()
        storm = rage(place_in(Path(folder)), options.requests, options.seed)
        print(
            f"{storm.requests:,} requests in {time.monotonic() - begin:.0f} s: {dict(sorted(storm.statuses.items()))}"
        )
        print(f"answers that were held against their schemas: {dict(sorted(storm.reached.items()))}")
        print(f"{storm.started} jobs started, {storm.unkeyed} of them without the key; {len(storm.problems)} problems")
        for problem in storm.problems[:20]:
            print(f"  {problem}")
    raise SystemExit(bool(storm.problems or storm.unkeyed))


if __name__ == "__main__":
    main()
