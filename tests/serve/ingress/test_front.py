"""The public door, as HAProxy itself has it: what stands inside, who gets how much, and for how long."""

from __future__ import annotations

import contextlib
import http.client
import socket
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from synthcity.serve.ingress.front import (
    BUSY,
    HEADER_SECONDS,
    IDLE_SECONDS,
    Front,
    most_connections,
    narrow,
    own_address,
)
from tests.ports import free_ports
from tests.serve.door import MOST_CONNECTIONS, SHARE, make_front, opened, write_config


@pytest.fixture(scope="module")
def front(echo: tuple[str, int]) -> Iterator[Front]:
    front = make_front(free_ports(1)[0], echo[0])
    with tempfile.TemporaryDirectory() as folder, opened(Path(folder), front, echo[1]):
        yield front


def ask(front: Front, path: str = "/healthz", source: str = "127.0.0.1") -> tuple[int, bytes]:
    door = http.client.HTTPConnection("127.0.0.1", front.port, timeout=20, source_address=(source, 0))
    try:
        door.request("GET", path)
        answer = door.getresponse()
        return answer.status, answer.read()
    finally:
        door.close()


def connect(front: Front, source: str) -> socket.socket:
    return socket.create_connection(("127.0.0.1", front.port), 20, (source, 0))


def hold(front: Front, source: str, count: int) -> list[socket.socket]:
    """Connect up to ``count`` times and say nothing; what is refused is refused."""
    held = []
    for _ in range(count):
        with contextlib.suppress(ConnectionResetError):
            held.append(connect(front, source))
    return held


def refuses(front: Front, source: str, held: list[socket.socket], count: int) -> bool:
    """Whether a source is refused while it holds what it can get of ``count``.

    It holds on anew, since the door closes what says nothing, and a busy machine may take as long to open so many.
    """
    for _ in range(5):
        held += hold(front, source, count)
        if is_refused(front, source):
            return True
    return False


def is_refused(front: Front, source: str) -> bool:
    try:
        ask(front, source=source)
    except (ConnectionError, http.client.HTTPException):
        return True
    return False


def test_prompts_pass_and_what_is_rays_own_does_not(front: Front):
    assert ask(front, "/Simulation") == (200, b"/Simulation")
    for path in ("/-/routes", "/-/healthz", "/-/ROUTES?x=1", "/%2d/routes", "/%2D%2Fhealthz", "http://a/-/routes"):
        status, content = ask(front, path)
        assert (status, b"synthcity" in content, b"success" in content) == (404, False, False), path


def test_statistics_are_inside(front: Front):
    for port in (8404, 9101):
        socket.create_connection((front.inside, port), 5).close()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), 5)


def test_a_caller_that_holds_more_than_half_gets_no_more_and_others_do(front: Front):
    held: list[socket.socket] = []
    try:
        assert refuses(front, "127.0.0.2", held, MOST_CONNECTIONS)
        begin = time.monotonic()
        assert ask(front, source="127.0.0.3")[0] == 200
        assert time.monotonic() - begin < 1.0
    finally:
        for one in held:
            one.close()


def test_a_few_that_hold_a_share_each_are_served_while_connections_are_scarce(front: Front):
    held = hold(front, "127.0.0.2", MOST_CONNECTIONS // 2 + 10)
    try:
        held += hold(front, "127.0.0.4", SHARE - 1)
        assert ask(front, source="127.0.0.4")[0] == 200
        assert refuses(front, "127.0.0.4", held, SHARE)
    finally:
        for one in held:
            one.close()


def test_a_source_that_floods_is_refused_and_others_are_served(front: Front):
    request, answers = b"GET /-/ HTTP/1.1\r\nhost: a\r\n\r\n" * 50, b""
    with connect(front, "127.0.0.6") as one:
        for _ in range(10 * BUSY // 50 + 2):
            one.sendall(request)
            while (answered := answers.count(b"HTTP/1.1 ")) % 50 or not answered:
                answers += one.recv(65536)
            refused, answers = answers.count(b"HTTP/1.1 429"), b""
    assert refused == 50
    assert ask(front, source="127.0.0.7")[0] == 200


def test_nobody_holds_a_connection_for_long(front: Front):
    head = b"POST /Simulation HTTP/1.1\r\nhost: a\r\n"
    sent = {
        b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n": IDLE_SECONDS,  # and then nothing more
        b"": HEADER_SECONDS,
        head + b"x-half": HEADER_SECONDS,
        head + b"content-length: 100\r\n\r\nhalf": HEADER_SECONDS,
    }
    held, begin = hold(front, "127.0.0.5", len(sent)), time.monotonic()
    for one, content in zip(held, sent, strict=True):
        one.sendall(content)
    for one, seconds in zip(held, sent.values(), strict=True):
        with one:
            while one.recv(65536):
                pass
        assert seconds - 1 < time.monotonic() - begin < seconds + 2


def test_another_ray_is_told_by_the_line_that_is_missing(tmp_path: Path):
    front = make_front(1, "127.0.0.1")
    text = write_config(tmp_path, front, 2).read_text()
    narrowed = narrow(text, front)
    assert narrow(narrowed, front) == narrowed
    for line, what in (("bind *:8404", "statistics"), ("bind :9101", "metrics"), ("mode 666", "socket")):
        with pytest.raises(ValueError, match=f"{what}.* stands 0 times .* use ray 2.60"):
            narrow(text.replace(line, "bind elsewhere"), front)


def test_every_address_is_one_of_the_loopback():
    addresses = {own_address() for _ in range(20)}
    assert all(address.startswith("127.") for address in addresses)
    assert len(addresses) > 15


def test_connections_fit_the_limit_of_open_files(monkeypatch: pytest.MonkeyPatch):
    import resource

    for hard, most in ((20_000, 9_500), (1 << 20, 20_000), (1024, 100), (resource.RLIM_INFINITY, 20_000)):
        monkeypatch.setattr(resource, "getrlimit", lambda _, hard=hard: (0, hard))
        assert most_connections() == most
