"""The client of a bridge."""

from __future__ import annotations

import httpx
import pytest

from synthcity.bridge.client import BridgeAway, Client
from synthcity.bridge.operation import Refused
from synthcity.bridge.registry import operations
from synthcity.errors import ConfigError
from synthcity.settings import Secret
from tests.bridge.conftest import Running
from tests.bridge.jobs.builders import Launched
from tests.ports import free_ports


def test_it_asks_and_is_told(bridge: Running) -> None:
    with Client(bridge.url, Secret(bridge.key), "default", timeout=10) as client:
        assert client.ask(operations()["show"], {"id": "sweep"})["verdict"] == "proven"
        with pytest.raises(Refused, match="there is no run 'a/b'") as told:
            client.ask(operations()["show"], {"id": "a/b"})
        assert told.value.exit_code == 3
        with pytest.raises(ConfigError, match="limit must be"):
            client.ask(operations()["history"], {"limit": 0})


def test_nobody_there_is_one_sentence() -> None:
    (port,) = free_ports(1)
    with (
        Client(f"http://127.0.0.1:{port}", Secret(), "default", timeout=1) as client,
        pytest.raises(BridgeAway, match="`synthcity bridge` starts one") as told,
    ):
        client.ask(operations()["jobs"], {})
    assert told.value.exit_code == 3


def counting(replies: list[httpx.Response | Exception], asked: list[httpx.Request]) -> httpx.MockTransport:
    def reply(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        found = replies.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    return httpx.MockTransport(reply)


@pytest.mark.parametrize(("name", "given", "times"), [("quick", {}, 3), ("jobs", {}, 3), ("stop", {"id": "0" * 12}, 1)])
def test_only_what_starts_nothing_twice_is_repeated(
    monkeypatch: pytest.MonkeyPatch, name: str, given: dict[str, str], times: int
) -> None:
    monkeypatch.setattr("synthcity.bridge.client._PAUSE_SECONDS", 0.0)
    asked: list[httpx.Request] = []
    with Client("http://b", Secret("k"), "default", timeout=1) as client:
        client._http = httpx.Client(base_url="http://b", transport=counting([httpx.ReadTimeout("late")] * 3, asked))
        with pytest.raises(BridgeAway, match="late"):
            client.ask(operations()[name], given)
    assert len(asked) == times
    assert len({request.content for request in asked}) == 1  # with one and the same idempotency key


@pytest.mark.parametrize("body", [b"<html>", b"[]", b""])
def test_another_server_is_told_apart(body: bytes) -> None:
    with Client("http://b", Secret(), "default", timeout=1) as client:
        client._http = httpx.Client(base_url="http://b", transport=counting([httpx.Response(200, content=body)], []))
        with pytest.raises(BridgeAway, match="is it a bridge"):
            client.ask(operations()["jobs"], {})


def test_a_job_is_started_with_the_key(bridge: Running, launched: Launched) -> None:
    with Client(bridge.url, Secret(bridge.key), "client-test", timeout=10) as client:
        job = client.ask(operations()["quick"], {"idempotency_key": "once"})
        assert client.ask(operations()["quick"], {"idempotency_key": "once"})["id"] == job["id"]
        launched.end(job["id"])
