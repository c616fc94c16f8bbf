"""One true walk: nodes are rented for a job, an autoscaler is killed, they go, and nothing is left at the market."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from synthcity import rates
from synthcity.cluster import head as heads
from synthcity.cluster.autoscaling import autoscaling
from synthcity.cluster.folder import Folder
from synthcity.cluster.plan import Plan
from synthcity.cluster.processes import marked
from synthcity.rent import LEDGER, comparing, lessor, read_ledger
from synthcity.schema import build
from synthcity.settings import Settings
from tests.cluster import here
from tests.cluster.test_head import block
from tests.cluster.test_rented import PLAN
from tests.ports import free_ports
from tests.standins.market import running_market
from tests.waiting import until

JOB = """
import os, sys, time
from pathlib import Path
import ray
ray.init(log_to_driver=False)
@ray.remote(num_cpus=1, num_gpus=1)
def work(number, folder):
    Path(folder, f"here-{number}").touch()
    while not Path(folder, "go").exists():
        time.sleep(0.1)
    secrets = [name for name in os.environ if "BASILICA_API_TOKEN" in name]
    return os.environ["RAY_NODE_TYPE_NAME"], ray.get_runtime_context().get_node_id(), secrets
found = ray.get([work.remote(number, sys.argv[1]) for number in range(2)])
prices = {node["NodeID"]: node["Labels"].get("%s") for node in ray.nodes()}
print("found", sorted((kind, prices[node], secrets) for kind, node, secrets in found))
print("token", "BASILICA_API_TOKEN" in os.environ)
"""


def autoscalers(folder: Folder) -> list[int]:
    found = []
    for process in marked("SYNTHCITY_CLUSTER", str(folder.path)):
        words = Path(f"/proc/{process.pid}/cmdline").read_bytes().split(b"\0")
        found += [process.pid] if b"ray.autoscaler.v2.monitor" in words else []
    return found


@pytest.mark.slow
def test_nodes_are_rented_for_a_job_and_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RAY_worker_niceness", "0")
    monkeypatch.setattr(heads, "autoscaling", lambda plan, path: here.told(autoscaling(plan, path)))
    monkeypatch.setattr(comparing, "SETTLE", 1.0)  # lists of this market do not lag
    monkeypatch.setattr(lessor, "EVERY", 1.1)
    gpu = {**PLAN["nodes"]["gpu"], "cpus": 1, "idle": "10s"}
    ports = {"ports": block(2), "dashboard": free_ports(401)[-1]}
    plan = build(Plan, {**PLAN, "head": ports, "nodes": {"gpu": gpu}})
    folder = Folder(tmp_path / "state" / plan.name)
    (tmp_path / "job.py").write_text(JOB % rates.LABEL)
    log, ledger = tmp_path / "job.log", folder.path / LEDGER
    with running_market() as market:
        judge = {"caps": {"gpu": 1.5}, "max_nodes": 2, "max_hourly": 4.0}
        market.set(virtual=None, boot_seconds=0.0, judge=judge)
        for name, value in market.environment.items():
            monkeypatch.setenv(name, value)
        try:
            head = heads.up(plan, folder, tmp_path)
            submit = [sys.executable, "-m", "ray.scripts.scripts", "job", "submit", "--address", head.url]
            with (
                log.open("wb") as out,
                subprocess.Popen(
                    [*submit, "--working-dir", ".", "--", "python", "job.py", str(tmp_path)],
                    env=os.environ | folder.variables,
                    stdout=out,
                    stderr=out,
                ) as job,
            ):
                until(lambda: len(list(tmp_path.glob("here-*"))) == 2, seconds=180, process=job)
                names = market.names()
                assert len(names) == 2
                until(lambda: sum(one.joined for one in read_ledger(ledger).rentals) == 2, seconds=60)
                (before,) = autoscalers(folder)
                os.kill(before, signal.SIGKILL)
                until(lambda: autoscalers(folder) not in ([], [before]), seconds=60)
                (tmp_path / "go").touch()
                job.wait(180)
            told = log.read_text()
            assert "found [('gpu', '1.35', []), ('gpu', '1.35', [])]" in told, told
            assert "token False" in told
            until(lambda: market.names() == [], seconds=120)  # by Ray, since they are idle
            assert market.state()["judge"]["faults"] == []
        finally:
            print(*(path.read_text() for path in (log, folder.path / "autoscaler.log") if path.exists()))
            heads.down(folder, Settings.load())
        assert market.names() == []
    assert marked("SYNTHCITY_CLUSTER", str(folder.path)) == []
    kept = read_ledger(ledger)
    assert set(names) <= {one.name for one in kept.rentals}
    assert {one.state for one in kept.rentals} == {"gone"}
    assert 0 < kept.spent < 1
