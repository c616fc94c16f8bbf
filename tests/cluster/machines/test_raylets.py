from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from synthcity.cluster.folder import Folder
from synthcity.cluster.machines import raylets
from synthcity.cluster.machines.raylets import LocalMachines
from synthcity.cluster.plan import Plan
from synthcity.cluster.processes import marked
from synthcity.errors import RunError
from tests.cluster.test_folder import head
from tests.waiting import until

# stands in for `ray start --block`: listens as a node does, notes how it was called, leaves a child behind
NODE = """
import json, os, socket, subprocess, sys
told = dict(word.removeprefix("--").split("=", 1) for word in sys.argv[1:] if "=" in word)
name = os.environ["RAY_CLOUD_INSTANCE_ID"]
path = f"{os.environ['SYNTHCITY_CLUSTER']}/{name}.told"
with open(f"{path}.part", "w") as file:
    json.dump({"told": told, "environment": dict(os.environ)}, file)
os.rename(f"{path}.part", path)
if "-big-" in name:
    sys.exit("it breaks")
subprocess.Popen(["sleep", "600"], start_new_session=True)
server = socket.create_server((told["node-ip-address"], int(told["node-manager-port"])))
while True:
    server.accept()
"""


@pytest.fixture
def machines(folder: Folder, plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalMachines]:
    (tmp_path / "ray").mkdir()
    folder.write_head(replace(head(), ray=str(tmp_path / "ray")))
    monkeypatch.setenv("BASILICA_API_TOKEN", "canary-market")
    monkeypatch.setenv("SYNTHCITY_LLM_API_KEY", "canary-model")
    monkeypatch.setenv("RAY_ADDRESS", "another:6379")
    opened = LocalMachines(folder, plan, command=(sys.executable, "-c", NODE))
    try:
        yield opened
    finally:
        opened.close()


def told(folder: Folder, name: str) -> dict[str, dict[str, str]]:
    return json.loads((folder.path / f"{name}.told").read_text())


def of(name: str) -> list[int]:
    return [process.pid for process in marked("RAY_CLOUD_INSTANCE_ID", name)]


def test_an_end_that_fails_can_be_asked_for_again(
    machines: LocalMachines, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: object, **__: object) -> None:
        monkeypatch.undo()
        raise OSError("too many open files")

    machines.ask("cpu", "one")
    (node,) = machines.all()
    until(lambda: machines.all()[0].is_up, seconds=20)
    monkeypatch.setattr(raylets, "end", fails)
    machines.stop(node.name)
    until(lambda: "could not be ended" in caplog.text and not machines._stopping, seconds=20)
    machines.stop(node.name)
    until(lambda: machines.all() == [], seconds=20)
    assert of(node.name) == []


def test_nodes_come_one_by_one_with_addresses_of_their_own_and_no_secret(
    machines: LocalMachines, folder: Folder
) -> None:
    machines.ask("cpu", "one")
    machines.ask("cpu", "two")
    asked = {machine.name: machine for machine in machines.all()}
    assert {machine.request for machine in asked.values()} == {"one", "two"}  # before any of them runs
    until(lambda: all(machine.is_up for machine in machines.all()), seconds=20)
    until(lambda: all((folder.path / f"{name}.told").exists() for name in asked), seconds=20)
    calls = [told(folder, name) for name in asked]
    assert sorted(call["told"]["node-ip-address"] for call in calls) == ["127.0.1.2", "127.0.1.3"]
    assert len({call["told"]["temp-dir"] for call in calls}) == 2  # else they remove each other's files
    for call in calls:
        assert call["told"]["num-cpus"] == "1"
        assert Path(call["told"]["temp-dir"]).is_dir()
        assert call["environment"]["RAY_NODE_TYPE_NAME"] == "cpu"
        assert "RAY_ADDRESS" not in call["environment"]
        assert "canary" not in json.dumps(call)
        assert "its-token" not in json.dumps(call)  # the cluster's own is read from its file
    machines.stop(next(iter(asked)))
    until(lambda: len(machines.all()) == 1, seconds=20)
    assert of(next(iter(asked))) == []
    assert [Path(call["told"]["temp-dir"]).exists() for call in calls] == [False, True]


def test_a_node_that_was_killed_is_gone_with_all_it_started(machines: LocalMachines, folder: Folder) -> None:
    machines.ask("cpu", "one")
    (machine,) = machines.all()
    until(lambda: len(of(machine.name)) == 2, seconds=20)
    record = json.loads((folder.path / "nodes" / f"{machine.name}.json").read_text())
    os.kill(record["process"][0], signal.SIGKILL)
    until(lambda: not machines.all(), seconds=20)
    until(lambda: not of(machine.name), seconds=20)
    until(lambda: not list((folder.path / "nodes").iterdir()), seconds=20)


def test_a_node_that_cannot_start_is_given_up(machines: LocalMachines, folder: Folder) -> None:
    machines.ask("big", "one")
    until(lambda: not machines.all() and not list((folder.path / "nodes").iterdir()), seconds=20)
    assert "it breaks" in (folder.path / "nodes.log").read_text()


def test_another_autoscaler_adopts_what_runs_and_forgets_what_was_only_meant(
    machines: LocalMachines, folder: Folder, plan: Plan
) -> None:
    machines.ask("cpu", "one")
    until(lambda: [machine.is_up for machine in machines.all()] == [True], seconds=20)
    (machine,) = machines.all()
    record = folder.path / "nodes" / f"{machine.name}.json"
    meant = {**json.loads(record.read_text()), "name": "tests-cpu-meant", "owner": [2**22 - 1, 1], "process": None}
    (folder.path / "nodes" / "tests-cpu-meant.json").write_text(json.dumps(meant))
    with contextlib.closing(LocalMachines(folder, plan)) as next_one:
        assert [one for one in next_one.all() if one.is_up] == [machine]
        until(lambda: len(list((folder.path / "nodes").iterdir())) == 1, seconds=20)
    assert of(machine.name) == []  # whoever closes ends all


def test_without_a_head_there_is_nothing_to_join(folder: Folder, plan: Plan) -> None:
    with pytest.raises(RunError, match="tests has no head"):
        LocalMachines(folder, plan)
