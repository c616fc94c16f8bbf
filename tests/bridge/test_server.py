"""The bridge as a server: where it listens, and what it is called by."""

from __future__ import annotations

import socket

import pytest

from synthcity.bridge.place import Place
from synthcity.bridge.server import bracketed, guarded, is_loopback, serve
from synthcity.errors import ConfigError
from synthcity.settings import Secret


@pytest.mark.parametrize(("host", "expected"), [("127.0.0.1", True), ("::1", True), ("0.0.0.0", False), ("::", False)])
def test_what_only_this_machine_reaches(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


def test_an_address_of_six_parts_stands_in_brackets() -> None:
    assert (bracketed("::1"), bracketed("10.0.0.1")) == ("[::1]", "10.0.0.1")


def test_it_is_called_by_its_address_and_the_allowed_names(place: Place) -> None:
    assert "10.0.0.1" in guarded(place, Secret("k"), host="10.0.0.1")._hosts
    assert guarded(place, Secret("k"), host="0.0.0.0", allowed=["Mine.example"])._hosts == {
        "127.0.0.1",
        "localhost",
        "[::1]",
        "mine.example",
    }


def test_a_port_in_use_is_told(place: Place) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(ConfigError, match="choose another --port"):
        serve(place, Secret("k"), host="127.0.0.1", port=taken.getsockname()[1], allowed=(), tell=print)
