"""Who may ask: the table of Host, Origin, content type and key, and what a body may be."""

from __future__ import annotations

import asyncio
import itertools
import json
from typing import Any

import pytest

from synthcity.bridge import guard as module
from synthcity.bridge.guard import CALLER, MAX_BODY, Caller, Guard
from synthcity.settings import Secret

KEY = "a-key-of-the-tests-alone"
OURS, THEIRS = "127.0.0.1:8377", "evil.example"
HOSTS = {OURS: True, "localhost:1": True, "[::1]:8377": True, "mine.example": True, THEIRS: False, "": False}
HOSTS |= {"127.0.0.1.evil.example": False, "127.0.0.1:8377@evil.example": False}
ORIGINS: dict[str | None, bool] = {None: True, "http://{host}": True, "http://evil.example": False, "null": False}
ORIGINS |= {"file://{host}": False, "http://{host}.evil.example": False, "http://[": False}
TYPES = {"application/json": True, "application/json; charset=utf-8": True, "text/plain": False, "": False}
TYPES |= {
    "application/x-www-form-urlencoded": False,
    "multipart/form-data": False,
    "application/json, text/plain": False,
}
KEYS: dict[str | None, bool] = {KEY: True, None: False, "": False, KEY + "x": False, "é": False}


async def reached(scope: Any, receive: Any, send: Any) -> None:
    body = (await receive())["body"] if scope["method"] == "POST" else b""
    told = json.dumps({"bot": scope[CALLER].bot, "key": scope[CALLER].has_key, "bytes": len(body)}).encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": told})


def ask(
    method: str = "POST",
    path: str = "/quick/run",
    *,
    headers: dict[str, str | None] | None = None,
    chunks: tuple[bytes, ...] = (b"{}",),
    key: str = KEY,
    reads_need_key: bool = False,
    twice: str = "",
) -> tuple[int, dict[str, Any], int]:
    """Return status, answer, and how many messages of the body were read."""
    told: dict[str, str | None] = {"host": OURS}
    if method == "POST":
        told |= {"content-type": "application/json", "content-length": str(sum(map(len, chunks))), "x-api-key": KEY}
    told |= headers or {}
    pairs = [(name.encode(), value.encode("latin-1")) for name, value in told.items() if value is not None]
    pairs += [pair for pair in pairs if pair[0].decode() == twice]
    sent: list[Any] = []
    left = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    left[-1]["more_body"] = False
    read = 0

    async def receive() -> Any:
        nonlocal read
        read += 1
        return left[read - 1]

    async def send(message: Any) -> None:
        sent.append(message)

    guard = Guard(
        reached, key=Secret(key), hosts=["mine.example"], reads_need_key=reads_need_key, reading_posts=["/check"]
    )
    scope = {"type": "http", "method": method, "path": path, "headers": pairs}
    asyncio.run(guard(scope, receive, send))
    return sent[0]["status"], json.loads(sent[1]["body"]), read


def test_every_combination_of_host_origin_type_and_key() -> None:
    """The matrix: all four must be right, and nothing of a body is read where one is not."""
    for (host, is_ours), (origin, is_same), (kind, is_json), (key, is_key) in itertools.product(
        HOSTS.items(), ORIGINS.items(), TYPES.items(), KEYS.items()
    ):
        headers = {"host": host or None, "origin": origin and origin.format(host=host), "content-type": kind or None}
        status, answer, read = ask(headers={**headers, "x-api-key": key})
        expected = 421 if not is_ours else 403 if not is_same else 415 if not is_json else 401 if not is_key else 200
        assert status == expected, (host, origin, kind, key)
        assert read == (status == 200)
        assert status == 200 or set(answer) == {"error"}


def test_a_read_needs_no_key_on_the_loopback_and_a_wrong_one_is_told() -> None:
    assert ask("GET", "/jobs")[0] == 200
    assert ask("GET", "/jobs", headers={"x-api-key": "wrong"})[0] == 401
    assert ask("GET", "/jobs", headers={"host": THEIRS})[0] == 421
    assert ask("GET", "/jobs", headers={"origin": "http://evil.example"})[0] == 403
    assert ask("POST", "/check", headers={"x-api-key": None})[:2] == (200, {"bot": "default", "key": False, "bytes": 2})


def test_everything_but_health_needs_the_key_where_others_reach_it() -> None:
    status, answer, _ = ask("GET", "/jobs", reads_need_key=True)
    assert (status, answer["error"]) == (401, "Invalid or missing API key")
    assert ask("POST", "/check", headers={"x-api-key": None}, reads_need_key=True)[0] == 401
    assert ask("GET", "/health", reads_need_key=True)[0] == 200
    assert ask("GET", "/jobs", headers={"authorization": f"Bearer {KEY}"}, reads_need_key=True)[0] == 200


def test_a_key_that_a_browser_adds_by_itself_is_for_reading_alone() -> None:
    basic = {"authorization": "Basic YW55Ym9keTphLWtleS1vZi10aGUtdGVzdHMtYWxvbmU=", "x-api-key": None}
    assert ask("GET", "/jobs", headers=basic, reads_need_key=True)[0] == 200
    assert ask("POST", headers=basic)[0] == 401
    assert ask("GET", "/jobs", headers={"authorization": "Basic !"}, reads_need_key=True)[0] == 401


def test_without_a_key_nothing_can_be_written() -> None:
    assert ask(key="", headers={"x-api-key": ""})[0] == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-length": None}, 411),
        ({"content-length": "-1"}, 400),
        ({"content-length": "+2"}, 400),
        ({"content-length": "2.0"}, 400),
        ({"content-length": "9" * 30}, 400),
        ({"content-length": str(MAX_BODY + 1)}, 413),
        ({"content-length": None, "transfer-encoding": "chunked"}, 200),
        ({"x-bot-id": "../x"}, 400),
        ({"x-bot-id": "alpha"}, 200),
    ],
)
def test_lengths_and_bots_are_checked_before_the_body(headers: dict[str, str | None], status: int) -> None:
    answered, _, read = ask(headers=headers)
    assert answered == status
    assert read == (status == 200)


@pytest.mark.parametrize("name", ["host", "content-type", "x-api-key", "content-length"])
def test_a_header_that_decides_comes_once(name: str) -> None:
    status, answer, _ = ask(twice=name)
    assert (status, answer["error"]) == (400, f"the header {name} came twice")


def test_a_body_of_untold_length_ends_at_the_bound() -> None:
    headers: dict[str, str | None] = {"content-length": None, "transfer-encoding": "chunked"}
    status, _, read = ask(headers=headers, chunks=(b"x" * 300_000,) * 100)
    assert (status, read) == (413, 4)
    assert ask(headers=headers, chunks=(b"{", b"}"))[1]["bytes"] == 2


def test_a_body_that_takes_too_long_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BODY_SECONDS", 0.01)

    async def never() -> Any:
        await asyncio.Event().wait()

    with pytest.raises(module.Refused, match="took longer"):
        asyncio.run(module._read(never))


def test_a_caller_is_who_the_headers_say() -> None:
    assert ask(headers={"x-bot-id": "alpha"})[1] == {"bot": "alpha", "key": True, "bytes": 2}
    assert Caller(bot="a", has_key=True) != Caller(bot="a", has_key=False)
