from __future__ import annotations

import http.server
import logging
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from synthcity.market.calendar.events.calendar import packaged
from synthcity.market.calendar.events.event import Kind
from synthcity.market.store import Store
from synthcity.serve.answering.answer_ledger import AnswerLedger
from synthcity.serve.operations import prober as probers
from synthcity.serve.operations.prober import Probed, Prober
from tests.market.calendar.events.factories import event
from tests.serve.builders import hour, record
from tests.serve.dialogue import MINER, snapshot


@pytest.fixture
def venue() -> Iterator[str]:
    """A server that tells the time, as all do."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
    server.RequestHandlerClass.log_message = lambda *_: None
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def _probed(folder: Path, **changes: object) -> Probed:
    fields = {"state": folder, "ledger": folder / "ledger", "ledger_quota": 10**9, "hotkey": MINER.ss58_address}
    fields |= {"published": None, "clock_url": "http://127.0.0.1:9", "snapshot": snapshot}
    fields["calendar"] = packaged
    return Probed(**fields | changes)


def test_disk_ledger_and_clock_are_found_out(tmp_path: Path, venue: str):
    with AnswerLedger(tmp_path / "ledger") as ledger:
        record(ledger, hour())
    prober = Prober(_probed(tmp_path, clock_url=venue))
    prober.round()
    found = prober.latest
    files = sum(path.stat().st_size for path in (tmp_path / "ledger").rglob("*") if path.is_file())
    assert (found.ledger_bytes, found.ledger_quota) == (files, 10**9)
    assert found.disk_free > 0
    assert abs(found.clock_offset) < 2
    assert found.unreachable is None, "nothing is published"


def test_a_calendar_is_read_anew_each_time(tmp_path: Path):
    prober, store = Prober(_probed(tmp_path, calendar=Store(tmp_path).calendar)), Store(tmp_path)
    prober.round()
    assert (prober.latest.calendar_end, prober.latest.calendar_problem) == (packaged().end, "")
    store.extend_calendar([event(packaged().end + 60, Kind.NFP)])
    prober.round()
    assert prober.latest.calendar_end == packaged().end + 60
    (tmp_path / "calendar.csv").write_text("nonsense")
    prober.round()
    assert prober.latest.calendar_end is None
    assert "calendar.csv, line 1: unknown column 'nonsense'" in prober.latest.calendar_problem


def test_a_published_address_is_tried(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        prober = Prober(_probed(tmp_path, published=address))
        prober.round()
        assert prober.latest.unreachable == ""
    prober.round()
    assert prober.latest.unreachable == "Connection refused"


@pytest.mark.parametrize(
    ("ip", "port", "told"), [("1.2.3.4", 8091, "1.2.3.4:8091"), ("1.2.3.4", 0, None), ("0.0.0.0", 0, "0.0.0.0:0")]
)
def test_what_the_chain_holds_of_us_is_told_where_it_is_known(tmp_path: Path, ip: str, port: int, told: str | None):
    from dataclasses import replace

    seen = snapshot()
    neurons = {**seen.neurons, MINER.ss58_address: replace(seen.neurons[MINER.ss58_address], ip=ip, port=port)}
    assert Prober(_probed(tmp_path, snapshot=lambda: replace(seen, neurons=neurons))).latest.on_chain == told
    assert Prober(_probed(tmp_path, snapshot=lambda: None)).latest.on_chain is None


def test_it_outlives_whatever_a_round_raises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog):
    rounds = threading.Semaphore(0)

    def fail(_: object) -> None:
        rounds.release()
        raise ZeroDivisionError

    monkeypatch.setattr(probers, "ledger_bytes", fail)
    with caplog.at_level(logging.CRITICAL), Prober(_probed(tmp_path), every_seconds=0.001):
        assert all(rounds.acquire(timeout=20) for _ in range(3))


def test_the_clock_is_not_asked_at_every_round(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    asked: list[str] = []
    monkeypatch.setattr(probers, "clock_offset", lambda url: asked.append(url) or 0.0)
    prober = Prober(_probed(tmp_path))
    for _ in range(3):
        prober.round()
    later = time.monotonic() + 301
    monkeypatch.setattr(probers.time, "monotonic", lambda: later)
    prober.round()
    assert len(asked) == 2
