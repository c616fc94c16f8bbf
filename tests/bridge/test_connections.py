"""Connections that say nothing, or say it too slowly."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from synthcity.bridge import connections as module
from tests.bridge.conftest import Running


@contextlib.contextmanager
def opened(bridge: Running, count: int) -> Iterator[list[socket.socket]]:
    address = (urlsplit(bridge.url).hostname, urlsplit(bridge.url).port)
    found = [socket.create_connection(address, timeout=10) for _ in range(count)]  # type: ignore[arg-type]
    try:
        yield found
    finally:
        for each in found:
            each.close()


def test_headers_that_do_not_come_end_the_connection(bridge: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HEADER_SECONDS", 0.2)
    with opened(bridge, 2) as (silent, slow):
        slow.sendall(b"GET /jobs HTTP/1.1\r\nHost: 127.0.0.1\r\n")
        for each in (silent, slow):
            with contextlib.suppress(ConnectionResetError):
                assert each.recv(1) == b""


def test_a_connection_that_is_used_again_has_its_time_again(bridge: Running) -> None:
    with bridge.client() as client:
        assert [client.get("/jobs").status_code for _ in range(3)] == [200, 200, 200]


def test_many_idle_ones_keep_nobody_out(bridge: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_WAITING", 20)
    with opened(bridge, 100) as idle, bridge.client() as client:
        begin = time.monotonic()
        assert client.get("/jobs").status_code == 200
        assert time.monotonic() - begin < module.HEADER_SECONDS
        assert len(module.Connection._waiting) <= 20
        idle[0].settimeout(10)
        with contextlib.suppress(ConnectionResetError):
            assert idle[0].recv(1) == b""  # the oldest went


@pytest.mark.parametrize(
    "head",
    [
        b"POST /quick/run HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /quick/run HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET / HTTP/1.1\r\nno header\r\n\r\n",
        b"GET /jobs HTTP/1.1\r\n\r\n",
    ],
)
def test_what_is_no_request_gets_a_400(bridge: Running, head: bytes) -> None:
    with opened(bridge, 1) as (one,):
        one.sendall(head)
        assert one.recv(100).startswith(b"HTTP/1.1 400 ")
