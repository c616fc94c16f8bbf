"""Machines that come, go and cost something."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import ray

from synthcity.cluster import job
from synthcity.cluster.local import Cluster
from synthcity.errors import RunError
from synthcity.rates import LABEL
from synthcity.rent import Spent
from synthcity.search.journal.history import TrialHistory
from synthcity.search.journal.journal import Journal
from synthcity.search.journal.recorder import Recorder
from synthcity.search.trials import fleet
from synthcity.search.trials.fleet import Fleet

ROOT = Path(__file__).parents[3]


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    with Journal(tmp_path / "run") as journal:
        yield Recorder(journal)


@pytest.fixture
def port() -> Iterator[int]:
    """A port that somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def closed() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def node(name: str, port: int, *, cpus: float = 8, gpus: float = 0, price: str | None = None) -> dict[str, Any]:
    resources = {"CPU": cpus, "GPU": gpus, "memory": 1e9}
    return {
        "NodeID": name,
        "Alive": True,
        "NodeManagerAddress": "127.0.0.1",
        "NodeManagerPort": port,
        "Resources": {key: value for key, value in resources.items() if value},
        "Labels": {} if price is None else {LABEL: price},
    }


def test_what_there_is_is_told_when_it_changes(recorder: Recorder, monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    nodes = [node("head", port, cpus=0, price="0.1"), node("a", port, gpus=2, price="1.2")]
    monkeypatch.setattr(ray, "nodes", lambda: nodes)
    machines = Fleet(recorder, Cluster(workers=8, gpus_per_worker=0.5, is_elsewhere=True))
    with machines.watched():
        machines.wait()
        machines.is_lost("a")
        nodes.append(node("b", port, price="cheap"))
        machines.is_lost("a")
    told = [(e["machines"], e["gpus"], e["usd_per_hour"]) for e in recorder.events if e["kind"] == "machines"]
    assert told == [(1, 2.0, 1.3), (2, 2.0, 1.3)], "a head has no room for trials and costs all the same"
    notes = [e["note"] for e in recorder.events if e["kind"] == "degraded"]
    assert len(notes) == 1
    assert "'cheap', which is no price" in notes[0]
    assert machines.spent("a", 1800.0) == {"usd": pytest.approx(0.15), "gpu_seconds": 900.0}
    assert machines.spent("b", 1800.0) == {"gpu_seconds": 900.0}


def test_one_look_that_fails_is_not_the_last(recorder: Recorder, monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    answers: list[Any] = [[node("a", port)], ConnectionError("Ray's head restarts")]
    seen = threading.Event()

    def nodes() -> Any:
        answer = answers.pop(0) if answers else [node("a", port), node("b", port)]
        if isinstance(answer, Exception):
            raise answer
        if len(answer) > 1:
            monkeypatch.setattr(fleet, "_LOOK_SECONDS", 60.0)
            seen.set()
        return answer

    monkeypatch.setattr(fleet, "_LOOK_SECONDS", 0.01)
    monkeypatch.setattr(ray, "nodes", nodes)
    with Fleet(recorder, Cluster(workers=8, is_elsewhere=True)).watched():
        assert seen.wait(30)
    assert [e["machines"] for e in recorder.events if e["kind"] == "machines"] == [2]


def test_one_machine_of_ones_own_goes_without_saying(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch, port: int
) -> None:
    monkeypatch.setattr(ray, "nodes", lambda: [node("here", port)])
    machines = Fleet(recorder, Cluster(workers=8))
    with machines.watched():
        machines.wait()
    assert recorder.events == []
    assert machines.spent("here", 60.0) == {}


def test_what_the_ledger_says_is_told_at_the_first_look_now_and_then_and_at_the_end(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch, port: int
) -> None:
    said: list[Spent | RunError] = [
        Spent(usd=5.0, gpu_hours=2.0),
        RunError("it is away"),
        Spent(usd=5.25, gpu_hours=2.5),
    ]

    def spent() -> Spent:
        found = said.pop(0)
        if isinstance(found, RunError):
            raise found
        return found

    monkeypatch.setattr(job, "spent", spent)
    monkeypatch.setattr(fleet, "_LOOK_SECONDS", 60.0)
    monkeypatch.setattr(ray, "nodes", lambda: [node("a", port, gpus=1, price="3.6")])
    recorder.emit("run_started", workers=2)
    machines = Fleet(recorder, Cluster(workers=2, is_elsewhere=True))
    with machines.watched():
        machines.is_lost("a")
        monkeypatch.setattr(fleet, "_LEDGER_SECONDS", 0.0)
        machines.is_lost("a")
    cost = recorder.history.cost
    assert (cost.usd, cost.gpu_hours, cost.is_ledger) == (0.25, 0.5, True), "and not a cent by the clock"
    assert [event["note"] for event in recorder.events if event["kind"] == "degraded"] == [
        "it is away; what machines cost is told by their prices meanwhile"
    ]


def test_a_machine_that_does_not_answer_is_lost_before_ray_says_so(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch, port: int, closed: int
) -> None:
    nodes = [node("a", port), node("b", port)]
    monkeypatch.setattr(ray, "nodes", lambda: nodes)
    machines = Fleet(recorder, Cluster(workers=2, is_elsewhere=True))
    assert not machines.is_lost("a")
    assert not machines.is_lost(None)
    nodes[0]["NodeManagerPort"] = closed
    assert machines.is_lost("a")
    assert not machines.is_lost("b")
    assert machines.is_lost(None)
    nodes[0]["Alive"] = False
    assert machines.is_lost("a")
    assert machines.is_lost(None), "it went a moment ago"


def _search(folder: Path, *, kill: bool) -> TrialHistory:
    """A deterministic search on a head without CPUs, which two machines join once it waits."""
    arms = {"random": {"share": 1.0}}
    budget = {"trials": 3, "deterministic": True, "generation": 3, "arms": arms}
    dataset = {"seconds": 0.3, "log": str(folder / "log")}
    options = json.dumps({"nodes": 2, "kill": kill, "budget": budget, "dataset": dataset})
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    subprocess.run(
        [sys.executable, "-m", "tests.search.trials.nodes", str(folder), options],
        cwd=ROOT,
        env={**environment, "HOME": str(folder.parent), "PYTHONPATH": str(ROOT)},
        timeout=400,
        check=True,
    )
    with Journal(folder) as journal:
        return TrialHistory.replay(journal.events)


@pytest.mark.slow
def test_a_search_waits_for_machines_loses_one_and_ends_as_if_it_had_not(tmp_path: Path) -> None:
    calm, rough = _search(tmp_path / "calm", kill=False), _search(tmp_path / "rough", kill=True)
    told = [[(record.candidate, record.score, record.status) for record in run.records] for run in (calm, rough)]
    assert told[0] == told[1]
    assert [record.status for record in rough.records] == ["completed"] * 3
    assert sum(record.nodes_lost for record in rough.records) >= 1
    assert sum(record.worker_deaths for record in rough.records) == 0
    assert all(record.failure is None for record in rough.records)
    # a trial goes on at its last rung; the one that was in flight may be trained twice
    trained = (tmp_path / "rough" / "log").read_text().splitlines()
    assert 12 <= len(trained) <= 14
    assert len(set(trained)) == 12
    # every machine says what it costs, a trial's hour with all of it 3.60 USD
    assert calm.cost.usd > 0
    assert all(record.usd == pytest.approx(record.seconds / 1000) for record in calm.records)
