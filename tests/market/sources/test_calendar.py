"""A calendar from a file or from a server on the loopback."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from synthcity.errors import ConfigError, SourceError
from synthcity.market.sources.calendar import events_of
from synthcity.market.venues import http as venues
from tests.market.calendar.events.factories import rows

CPI = rows("2026-12-10T13:30Z,cpi,Consumer prices,,official,,BLS")


class _Handler(http.server.BaseHTTPRequestHandler):
    body: bytes = b""
    status = 200
    asked: list[str] = []  # noqa: RUF012 (of the stand-in of one test)

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[http.server.ThreadingHTTPServer]:
    monkeypatch.setattr(venues.time, "sleep", lambda seconds: None)
    handler = type("Handler", (_Handler,), {"body": CPI.encode(), "asked": []})
    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    yield running
    running.shutdown()
    thread.join()
    running.server_close()


def _url(server: http.server.ThreadingHTTPServer, path: str = "/calendar.csv?token=s3cret") -> str:
    return f"http://127.0.0.1:{server.server_port}{path}"


def test_file_and_address_give_the_same_events(server: http.server.ThreadingHTTPServer, tmp_path: Path):
    (tmp_path / "c.csv").write_text(CPI, encoding="utf-16")
    assert events_of(str(tmp_path / "c.csv")) == events_of(_url(server))
    assert server.RequestHandlerClass.asked == ["/calendar.csv?token=s3cret"]


@pytest.mark.parametrize(
    ("status", "body", "error", "sentence"),
    [
        (404, b"gone", SourceError, r"refuses the request \(HTTP 404: gone\)"),
        (500, b"", SourceError, "3 times in a row; repeat the command later"),
        (302, b"", SourceError, "HTTP 302"),
        (200, b"<html>", ConfigError, "unknown column '<html>'"),
        (200, b"\0" * 10, ConfigError, "it is binary"),
        (200, b"\xff\xfe\xfd", ConfigError, "UTF-16"),
        (200, b"x" * (2**20 + 1), SourceError, "more than 1 MiB"),
    ],
)
def test_a_server_that_fails_is_told_without_the_key_in_its_address(
    server: http.server.ThreadingHTTPServer, status: int, body: bytes, error: type[Exception], sentence: str
):
    server.RequestHandlerClass.status, server.RequestHandlerClass.body = status, body
    with pytest.raises(error, match=sentence) as raised:
        events_of(_url(server))
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("ftp://127.0.0.1/c.csv", "not from ftp://"),
        ("http:///c.csv", "not from http://"),
        ("file:///etc/passwd", "not from file://"),
        ("https://me:s3cret@127.0.0.1/c.csv", "a password in it is not asked"),
        ("http://127.0.0.1:port/c.csv", "no URL|no address"),
        ("/does/not/exist.csv", "No such file"),
        ("/dev/zero", "a pipe or a device"),
        (".", "it is a folder"),
    ],
)
def test_what_is_no_source_is_told(source: str, sentence: str):
    with pytest.raises(ConfigError, match=sentence) as raised:
        events_of(source)
    assert "s3cret" not in str(raised.value)
