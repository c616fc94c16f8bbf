"""One bridge for all tests of this folder: its application under the server that people run, on the loopback."""

from __future__ import annotations

import shutil
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
from synthcity.market.simulated import SimulatedConfig, SimulatedMarket
from synthcity.market.store import Store
from synthcity.search.journal.journal import Journal
from synthcity.search.journal.recorder import Recorder
from synthcity.settings import Secret
from tests.bridge.jobs.builders import Launched
from tests.cli.conftest import calls
from tests.history.builders import report, write_run
from tests.search.sample_run import journal
from tests.search.test_comparison import finished
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
    """A place with one finished run, one that goes on, and two days of prices."""
    write_run(folder / "runs" / "sweep", report())
    finished(folder / "runs" / "live", -0.5)
    with Journal(folder / "runs" / "live") as lines:
        recorder = Recorder(lines)
        for event in journal(6):
            told = {name: value for name, value in event.items() if name not in ("kind", "time")}
            recorder.emit(event["kind"], **told)
    (folder / "runs" / "live" / "report.json").unlink()
    market = SimulatedMarket(SimulatedConfig(days=2)).market(["BTC"], resolution=300)
    Store(folder / "prices").append("BTC", "simulated", 300, market["BTC", 300])
    shutil.copytree(Path(__file__).parents[2] / "configs", folder / "configs")
    return place_at(folder)


def place_at(folder: Path) -> Place:
    """The place of this folder."""
    return Place(
        state=folder / "state",
        runs=folder / "runs",
        configs=folder / "configs",
        data=folder / "prices",
        vault=str(folder / "vault"),
    )


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is in a place, made once."""
    folder = tmp_path_factory.mktemp("made")
    place_in(folder)
    return folder


@pytest.fixture
def place(made: Path, tmp_path: Path) -> Place:
    """A place of the test's own."""
    shutil.copytree(made, tmp_path / "place")
    return place_at(tmp_path / "place")


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> Iterator[Launched]:
    """Jobs without processes."""
    fake = Launched()
    monkeypatch.setattr(board, "_launch", fake)
    yield fake
    fake.end_all()


@pytest.fixture(scope="session")
def bridge(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("bridge") / "place"
    shutil.copytree(made, folder)
    place = place_at(folder)
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
