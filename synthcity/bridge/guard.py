"""What stands before every route: who may ask, decided by the headers alone, before a byte of the body is read.

A page in somebody's browser can send requests to a server on their machine. It cannot choose ``Host`` and ``Origin``,
nor send JSON or a key without being asked first, so these four are looked at; the peer that asked for none of them let
any page start a training.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from synthcity.bridge.operation import Refused
from synthcity.bridge.place import DEFAULT_BOT, checked_bot
from synthcity.errors import ConfigError
from synthcity.settings import Secret

MAX_BODY = 1 << 20
BODY_SECONDS = 30.0
LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})
OPEN = frozenset({"/health"})  # told to everybody who may reach us
CALLER = "synthcity.caller"
_JSON = re.compile(r'application/json(\s*;\s*charset\s*=\s*"?utf-8"?)?\s*', re.IGNORECASE)
_SAFE = ("GET", "HEAD")


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who asks; ``has_key`` is whether the key came with the request."""

    bot: str
    has_key: bool


class Guard:
    """An ASGI application around another one."""

    def __init__(
        self, app: ASGIApp, *, key: Secret, hosts: Collection[str], reads_need_key: bool, reading_posts: Collection[str]
    ) -> None:
        """Args:
        app: is reached by what passes.
        key: of writes; empty where nothing can be written.
        hosts: names that this server may be called by, beside those of the loopback.
        reads_need_key: whether reading needs the key, too.
        reading_posts: paths whose POST changes nothing by itself.
        """
        self._app, self._key = app, key
        self._hosts = LOOPBACK | {host.lower() for host in hosts}
        self._reads_need_key, self._reading_posts = reads_need_key, frozenset(reading_posts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or say why not."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            headers = _headers(scope)
            self._check_site(headers)
            has_body = scope["method"] not in _SAFE and _check_body(scope["method"], headers)
            scope[CALLER] = self._caller(scope, headers)
            body = await _read(receive) if has_body else b""
        except Refused as refusal:
            await _refuse(send, refusal)
            return
        await self._app(scope, _again(body, receive) if has_body else receive, send)

    def _check_site(self, headers: dict[str, str]) -> None:
        host = headers.get("host", "").lower()
        if re.sub(r":[0-9]+$", "", host) not in self._hosts:
            raise Refused(f"this bridge is not called {host[:80]!r}; --allow-host names what else it is called", 421)
        origin = headers.get("origin")
        if origin is None:
            return
        try:
            parts = urlsplit(origin)
        except ValueError:
            parts = urlsplit("")
        if parts.scheme not in ("http", "https") or parts.netloc.lower() != host:
            raise Refused(f"a page of {origin[:80]!r} may not ask this bridge", 403)

    def _caller(self, scope: Scope, headers: dict[str, str]) -> Caller:
        is_read = scope["method"] in _SAFE
        given = _given_key(headers, is_read=is_read)
        if given is not None and not self._is_key(given):
            raise Refused("Invalid or missing API key", 401)
        has_key = given is not None
        is_open = scope["path"] in self._reading_posts if not is_read else scope["path"] in OPEN
        if not has_key and not is_open and (not is_read or self._reads_need_key):
            raise Refused("Invalid or missing API key", 401, {"WWW-Authenticate": "Basic"} if is_read else None)
        if not has_key and self._reads_need_key and scope["path"] not in OPEN:
            raise Refused("Invalid or missing API key", 401)
        try:
            return Caller(bot=checked_bot(headers.get("x-bot-id", DEFAULT_BOT)), has_key=has_key)
        except ConfigError as error:
            raise Refused(str(error)) from None

    def _is_key(self, given: str) -> bool:
        return bool(self._key) and hmac.compare_digest(given.encode(), self._key.reveal().encode())


def _headers(scope: Scope) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        text = name.decode("latin-1").lower()
        if text in found and text in ("host", "origin", "content-type", "content-length", "x-api-key", "x-bot-id"):
            raise Refused(f"the header {text} came twice")
        found[text] = value.decode("latin-1").strip()
    return found


def _check_body(method: str, headers: dict[str, str]) -> bool:
    """Whether a body comes, by its headers."""
    length = headers.get("content-length")
    if length is None and "transfer-encoding" not in headers:
        if method == "POST":
            raise Refused("a POST needs a Content-Length", 411)
        return False
    if length is not None and not re.fullmatch("[0-9]{1,18}", length):
        raise Refused(f"Content-Length {length[:80]!r} is no number of bytes")
    if length is not None and int(length) > MAX_BODY:
        raise Refused(f"a body has at most {MAX_BODY} bytes, this one has {length}", 413)
    if not _JSON.fullmatch(headers.get("content-type", "")):
        raise Refused(f"a body is application/json, not {headers.get('content-type', 'untold')[:80]!r}", 415)
    return True


def _given_key(headers: dict[str, str], *, is_read: bool) -> str | None:
    """The key that came; one that a browser adds by itself counts for reading alone."""
    if "x-api-key" in headers:
        return headers["x-api-key"]
    scheme, _, rest = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() == "basic" and is_read:
        try:
            return base64.b64decode(rest, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return None


async def _read(receive: Receive) -> bytes:
    """Read a body whose length may be untold."""
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Refused("the body broke off")
                body += message.get("body", b"")
                if len(body) > MAX_BODY:
                    raise Refused(f"a body has at most {MAX_BODY} bytes", 413)
                if not message.get("more_body"):
                    return bytes(body)
    except TimeoutError:
        raise Refused(f"the body took longer than {BODY_SECONDS:g} s", 408) from None


def _again(body: bytes, receive: Receive) -> Receive:
    """Hand a body on that was read already; after it comes what comes."""
    is_read = False

    async def again() -> Message:
        nonlocal is_read
        if is_read:
            return await receive()
        is_read = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


async def _refuse(send: Send, refusal: Refused) -> None:
    body = json.dumps({"error": str(refusal)}).encode()
    headers = {"content-type": "application/json", "content-length": str(len(body)), "connection": "close"}
    headers |= {name.lower(): value for name, value in refusal.headers.items()}
    told = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": refusal.status, "headers": told})
    await send({"type": "http.response.body", "body": body})
