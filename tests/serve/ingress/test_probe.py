from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from synthcity.serve.ingress.front import Front
from synthcity.serve.ingress.probe import Probe
from tests.ports import free_ports
from tests.serve.door import make_front, opened
from tests.serve.ingress.conftest import echo_server


@pytest.fixture
def front() -> Iterator[Front]:
    with echo_server() as (inside, _):
        yield make_front(free_ports(1)[0], inside)


def test_a_shut_door_is_told_and_so_is_its_opening(front: Front, tmp_path: Path, caplog: pytest.LogCaptureFixture):
    probe = Probe("0.0.0.0", front.port, source=front.inside)
    with caplog.at_level(logging.WARNING):
        probe.ask()
        assert probe.problem is not None
        assert probe.problem.endswith(f":{front.port} for 0 s: HAProxy is gone; Ray starts it again")
        with echo_server() as (inside, port), opened(tmp_path, make_front(front.port, inside), port):
            probe.ask()
            assert probe.problem is None
    assert [record.message.split(":")[0] for record in caplog.records] == [
        "nobody is answered at 0.0.0.0",
        "0.0.0.0",
    ]


def test_a_door_without_a_replica_is_told(front: Front, tmp_path: Path):
    with opened(tmp_path, front, free_ports(1)[0]):
        probe = Probe("0.0.0.0", front.port)
        probe.ask()
        assert probe.problem is not None
        assert probe.problem.endswith("HAProxy has no replica and says 500")


def test_it_asks_by_itself(front: Front):
    import threading

    told = threading.Event()

    class Told(Probe):
        def ask(self) -> None:
            super().ask()
            told.set()

    with Told("127.0.0.1", front.port, every_seconds=0.01) as probe:
        assert told.wait(10)
    assert probe.problem is not None
