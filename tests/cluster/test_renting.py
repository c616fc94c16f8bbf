"""One true walk: nodes are rented for tasks, an autoscaler is killed, they go, and nothing is left at the market."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from synthcity import rates
from synthcity.cluster import head as heads
from synthcity.cluster.autoscaling import autoscaling
from synthcity.cluster.folder import Folder, Head, ray_command
from synthcity.cluster.keeper import start_keeper
from synthcity.cluster.layout import Place
from synthcity.cluster.machines.raylets import _listens
from synthcity.cluster.plan import Plan
from synthcity.cluster.processes import Process, marked
from synthcity.rent import LEDGER, comparing, lessor, read_ledger
from synthcity.schema import build
from synthcity.settings import Settings
from tests.cluster import here
from tests.cluster.machines.test_rented import PLAN
from tests.cluster.test_head import block
from tests.standins.market import running_market
from tests.waiting import until

TASKS = """
import os, sys, time
from pathlib import Path
import ray
address = sys.argv[1]
ray.init(address, _node_ip_address=address.partition(":")[0], log_to_driver=False)
@ray.remote(num_cpus=1, num_gpus=1)
def work(number, folder):
    Path(folder, f"here-{number}").touch()
    while not Path(folder, "go").exists():
        time.sleep(0.1)
    secrets = [name for name in os.environ if "BASILICA_API_TOKEN" in name]
    return os.environ["RAY_NODE_TYPE_NAME"], ray.get_runtime_context().get_node_id(), secrets
found = ray.get([work.remote(number, sys.argv[2]) for number in range(2)])
prices = {node["NodeID"]: node["Labels"].get("%s") for node in ray.nodes()}
print("found", sorted((kind, prices[node], secrets) for kind, node, secrets in found))
"""


def autoscalers(folder: Folder) -> list[int]:
    found = []
    for process in marked("SYNTHCITY_CLUSTER", str(folder.path)):
        words = Path(f"/proc/{process.pid}/cmdline").read_bytes().split(b"\0")
        found += [process.pid] if b"ray.autoscaler.v2.monitor" in words else []
    return found


def lead(plan: Plan, folder: Folder, ray: Path) -> list[subprocess.Popen[bytes]]:
    """Start a head and its keeper as ``up`` does, but without a dashboard, which takes longer than all the rest."""
    ray.mkdir()
    folder.write(plan, here.told(autoscaling(plan, folder.path)), secrets.token_hex(32))
    place = Place(0, plan.head.ports)
    with (folder.path / "head.log").open("wb") as log:
        child = subprocess.Popen(
            [
                *(*ray_command(), "--head", "--block", "--num-cpus=0", "--num-gpus=0", "--include-dashboard=false"),
                *("--no-monitor", "--disable-usage-stats", f"--temp-dir={ray}", *place.arguments),
            ],
            env=heads.head_environment(os.environ, plan, folder),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    process = Process.of(child.pid)
    assert process is not None
    folder.write_head(Head(process=process, gcs=place.gcs, url="http://127.0.0.1:1", ray=str(ray), home=os.getcwd()))
    until(lambda: _listens(place), seconds=120, process=child)
    return [child, start_keeper(folder, plan, os.environ)]


@pytest.fixture
def ray() -> Iterator[Path]:
    """A folder for Ray's own files, with a short name, since sockets lie in it."""
    with tempfile.TemporaryDirectory(prefix="synthcity-ray-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        yield Path(folder) / "r"


@pytest.mark.slow
def test_nodes_are_rented_for_tasks_and_nothing_is_left(
    tmp_path: Path, ray: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))  # the autoscaler opens this test's transport
    monkeypatch.setenv("RAY_worker_niceness", "0")
    monkeypatch.setenv("RAY_agent_register_timeout_ms", "120000")  # a busy machine
    monkeypatch.setattr(comparing, "SETTLE", 1.0)  # lists of this market do not lag
    monkeypatch.setattr(lessor, "EVERY", 1.1)
    gpu = {**PLAN["nodes"]["gpu"], "cpus": 1, "idle": "10s"}
    plan = build(Plan, {**PLAN, "head": {"ports": block(2), "dashboard": 1024}, "nodes": {"gpu": gpu}})
    folder = Folder(tmp_path / "state" / plan.name)
    folder.path.mkdir(parents=True)
    log, ledger = tmp_path / "tasks.log", folder.path / LEDGER
    children: list[subprocess.Popen[bytes]] = []
    with running_market() as market:
        judge = {"caps": {"gpu": 1.5}, "max_nodes": 2, "max_hourly": 4.0}
        market.set(virtual=None, boot_seconds=0.0, judge=judge)
        for name, value in market.environment.items():
            monkeypatch.setenv(name, value)
        try:
            children += lead(plan, folder, ray)
            environment = heads.head_environment(os.environ, plan, folder)
            words = [sys.executable, "-c", TASKS % rates.LABEL, Place(0, plan.head.ports).gcs, str(tmp_path)]
            with log.open("wb") as out:
                tasks = subprocess.Popen(words, env=environment, stdout=out, stderr=out)
                children.append(tasks)
                until(lambda: len(list(tmp_path.glob("here-*"))) == 2, seconds=180, process=tasks)
                names = market.names()
                assert len(names) == 2
                until(lambda: sum(one.joined for one in read_ledger(ledger).rentals) == 2)
                (before,) = autoscalers(folder)
                os.kill(before, signal.SIGKILL)
                until(lambda: autoscalers(folder) not in ([], [before]))
                (tmp_path / "go").touch()
                tasks.wait(120)
            told = log.read_text()
            assert "found [('gpu', '1.35', []), ('gpu', '1.35', [])]" in told, told
            until(lambda: market.names() == [], seconds=120)  # by Ray, since they are idle
            assert market.state()["judge"]["faults"] == []
        finally:
            print(*(path.read_text() for path in (log, folder.path / "autoscaler.log") if path.exists()))
            heads.down(folder, Settings.load())
            for child in children:
                child.kill()
                child.wait()
        assert market.names() == []
    assert marked("SYNTHCITY_CLUSTER", str(folder.path)) == []
    kept = read_ledger(ledger)
    assert set(names) <= {one.name for one in kept.rentals}
    assert {one.state for one in kept.rentals} == {"gone"}
    assert 0 < kept.spent < 1
