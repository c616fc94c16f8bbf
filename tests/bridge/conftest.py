"""One bridge for all tests of this folder: its application under the server that people run, on the loopback."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from synthcity.bridge.jobs import board
from synthcity.bridge.place import Place
from synthcity.bridge.server import guarded, server_of
from synthcity.settings import Secret
from tests.bridge.jobs.builders import Launched
from tests.cli.conftest import calls
from tests.history.builders import report, write_run
from tests.waiting import until

__all__ = ["calls"]

KEY = "a-key-of-the-tests-alone"


@dataclass(frozen=True)
class Running:
    """A bridge that runs."""

    url: str
    place: Place
    key: str

    def client(self, *, key: bool = True, bot: str = "default") -> httpx.Client:
        headers = {"X-Bot-Id": bot} | ({"X-API-Key": self.key} if key else {})
        return httpx.Client(base_url=self.url, headers=headers, trust_env=False, timeout=30)


def place_in(folder: Path) -> Place:
    """A place with one finished run."""
    write_run(folder / "runs" / "sweep", report())
    return Place(state=folder / "state", runs=folder / "runs", configs=Path("configs"))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return place_in(tmp_path)


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> Iterator[Launched]:
    """Jobs without processes."""
    fake = Launched()
    monkeypatch.setattr(board, "_launch", fake)
    yield fake
    fake.end_all()


@pytest.fixture(scope="session")
def bridge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    place = place_in(tmp_path_factory.mktemp("bridge"))
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    server = server_of(guarded(place, Secret(KEY)))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        until(lambda: server.started)
        yield Running(f"http://127.0.0.1:{listener.getsockname()[1]}", place, KEY)
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
