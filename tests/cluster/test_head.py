"""What a head begins with, and one true walk: a node comes for a job's task, nothing is left."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from synthcity.cluster import head as heads
from synthcity.cluster.folder import Folder, Head
from synthcity.cluster.head import _await, check_ports, head_environment
from synthcity.cluster.layout import Place
from synthcity.cluster.plan import Plan
from synthcity.cluster.processes import Process, marked
from synthcity.errors import ConfigError, Fatal
from tests.cluster.test_folder import head
from tests.ports import free_ports


def test_the_head_gets_what_searches_read_and_no_other_secret(folder: Folder, plan: Plan) -> None:
    given = {
        "SYNTHCITY_LLM_API_KEY": "model",
        "HIPPIUS_SECRET_KEY": "vault",
        "AWS_SECRET_ACCESS_KEY": "checkpoints",
        "BASILICA_API_TOKEN": "market",
        "GITHUB_TOKEN": "other",
        "RAY_ADDRESS": "another:1",
    }
    told = head_environment(given, plan, folder)
    assert {name for name in given if name in told} == {
        *("SYNTHCITY_LLM_API_KEY", "HIPPIUS_SECRET_KEY", "AWS_SECRET_ACCESS_KEY")
    }
    assert told["PATH"].startswith(str(Path(sys.executable).parent))  # where a job finds `synthcity`
    assert int(told["RAY_JOB_STOP_WAIT_TIME_S"]) >= 60  # a search that is stopped has to write its last words


def test_a_port_that_is_taken_is_told_before_anything_starts(plan: Plan) -> None:
    with (
        socket.create_server(("127.0.0.1", plan.head.ports + 5)),
        pytest.raises(ConfigError, match=rf"port {plan.head.ports + 5} is in use .* set head.ports"),
    ):
        check_ports(plan)


def test_ports_of_a_head_that_was_killed_are_waited_for(plan: Plan) -> None:
    held = socket.create_server(("127.0.0.1", plan.head.ports + 5))
    timer = threading.Timer(0.3, held.close)
    timer.start()
    check_ports(plan, patience=30.0)
    timer.join()


def test_a_head_whose_dashboard_answers_before_ray_gives_up_is_told(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(_: httpx.Client, url: str) -> httpx.Response:
        return httpx.Response(200, text="[]", request=httpx.Request("GET", url))

    monkeypatch.setattr(httpx.Client, "get", answer)
    (folder.path / "head.log").write_text("The current node timed out during startup.\n")
    ended = replace(head(), process=Process(2**22 - 1, 1))
    with pytest.raises(Fatal, match="the head ended by itself: The current node timed out"):
        _await(ended, folder, "its-token")
    (folder.path / "head.log").write_text("Ray runtime started.\n")
    _await(ended, folder, "its-token")


@pytest.mark.parametrize(
    ("said", "starts"), [("The current node timed out during startup.", 3), ("Address already in use", 1)]
)
def test_a_head_that_missed_rays_own_time_is_started_again(
    folder: Folder, plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, starts: int
) -> None:
    started = []

    def start(*_: object) -> Head:
        started.append(said)
        (folder.path / "head.log").write_text(f"{said}\n")
        return replace(head(), process=Process(2**22 - 1, 1))

    def refuse(_: httpx.Client, url: str) -> None:
        raise httpx.ConnectError("nobody there")

    monkeypatch.setattr(heads, "check_ports", lambda _, patience: None)  # nothing listens
    monkeypatch.setattr(heads, "_start", start)
    monkeypatch.setattr(httpx.Client, "get", refuse)
    with pytest.raises(Fatal, match=said):
        heads.up(plan, folder, tmp_path)
    assert len(started) == starts


JOB = """
import ray
ray.init()
@ray.remote(num_cpus=1)
def where():
    import os
    return os.environ["RAY_NODE_TYPE_NAME"], "BASILICA_API_TOKEN" in os.environ, "canary" in str(dict(os.environ))
print("found", ray.get(where.remote()))
"""


def block(nodes: int = 1) -> int:
    """First of as many ports as a head and its nodes want, on which nobody listens."""
    for first in free_ports(400)[::100]:
        places = [Place(index, first) for index in range(nodes + 1)]
        try:
            for port in (port for place in places for port in place.ports):
                socket.create_server(("", port)).close()
        except OSError:
            continue
        return first
    raise AssertionError("no ports")


def dashboard_of(ports: int) -> int:
    """A port on which nobody listens, beyond those of a head at ``ports`` and of its nodes."""
    return next(port for port in free_ports(1001) if not ports <= port < ports + 1000)


@pytest.mark.slow
def test_a_job_gets_a_node_and_nothing_is_left_of_the_cluster(tmp_path: Path) -> None:
    ports = block()
    dashboard = dashboard_of(ports)
    head = f"{{ports: {ports}, dashboard: {dashboard}}}"
    (tmp_path / "cluster.yaml").write_text(f"name: walk\nhead: {head}\nnodes: {{cpu: {{market: local, idle: 1m}}}}\n")
    (tmp_path / "job.py").write_text(JOB)
    state = tmp_path / "state"

    def synthcity(*words: str) -> str:
        canaries = {"SYNTHCITY_LLM_API_KEY": "canary-model", "BASILICA_API_TOKEN": "canary-market"}
        environment = {**os.environ, **canaries, "RAY_worker_niceness": "0"}  # Ray's own 15 is for work that can wait
        command = [sys.executable, "-m", "synthcity", "cluster", *words, "--state", str(state)]
        done = subprocess.run(
            command, capture_output=True, text=True, env=environment, cwd=tmp_path, timeout=240, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    try:
        told = json.loads(synthcity("up", "cluster.yaml", "--json"))
        variables = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": told["token"]}
        submit = [sys.executable, "-m", "ray.scripts.scripts", "job", "submit", "--address", told["dashboard"]]
        done = subprocess.run(
            [*submit, "--working-dir", ".", "--", "python", "job.py"],
            env=os.environ | variables,
            **{"cwd": tmp_path, "capture_output": True, "text": True, "timeout": 240, "check": False},
        )
        assert "found ('cpu', False, False)" in done.stdout, done.stdout + done.stderr
        shown = json.loads(synthcity("status", "--json"))
        assert [job["state"] for job in shown["jobs"]] == ["SUCCEEDED"]
        assert [(node["kind"], node["cpus"]) for node in shown["nodes"]] == [("cpu", 1.0)]
    finally:
        synthcity("down", "--yes")
    assert marked("SYNTHCITY_CLUSTER", str(state / "walk")) == []
    assert sorted(path.name for path in (state / "walk").iterdir()) == [
        *("autoscaler.log", "head.log", "lock", "nodes.log")
    ]
