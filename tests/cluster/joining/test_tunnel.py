"""Machines that are namespaces become nodes through real ssh; in most tests a small program stands in for Ray there."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from synthcity.cluster.folder import Folder, Head
from synthcity.cluster.head import down, up
from synthcity.cluster.joining.ssh import known_hosts, public_key
from synthcity.cluster.joining.tunnel import SshTransport
from synthcity.cluster.layout import MOST_REACHED, Place
from synthcity.cluster.notes import notes
from synthcity.cluster.plan import Plan
from synthcity.cluster.processes import marked
from synthcity.errors import ConfigError
from synthcity.schema import build, plain
from synthcity.settings import Settings
from tests.cluster.machine import machines, missing
from tests.cluster.test_head import block, dashboard_of
from tests.waiting import until

needs_namespaces = pytest.mark.skipif(bool(missing()), reason=missing())
NAME = "tests-cpu-1"
# stands in for `ray start --block`: asks the head and another node who they are, then tells its own name
RAY = """
import os, socket, sys
told = dict(word.removeprefix("--").split("=", 1) for word in sys.argv[1:] if "=" in word)
def ask(host, port):
    with socket.create_connection((host, int(port)), 20) as link:
        return link.recv(100).decode()
port = int(told["node-manager-port"])
answers = [ask(*told["address"].split(":")), ask("127.0.1.3", port + 100)]
with open("/mnt/told.part", "w") as file:
    file.write(repr([answers, told, dict(os.environ)]))
os.rename("/mnt/told.part", "/mnt/told")
server = socket.create_server((told["node-ip-address"], port))
while True:
    link, _ = server.accept()
    link.sendall(os.environ["RAY_CLOUD_INSTANCE_ID"].encode())
    link.close()
"""
SECRETS = {
    **{"BASILICA_API_TOKEN": "canary-market", "SYNTHCITY_LLM_API_KEY": "canary-model", "HF_TOKEN": "canary-hub"},
    **{"HIPPIUS_SECRET_KEY": "canary-vault", "AWS_SECRET_ACCESS_KEY": "canary-s3", "BRIDGE_API_KEY": "canary-bridge"},
}


# a task on each node, and once more when it is told to; and how many of the nodes that there were live
JOB = """
import os, sys, ray
ray.init(log_to_driver=False)
@ray.remote(num_cpus=1)
class Where:
    def name(self):
        return os.environ["RAY_CLOUD_INSTANCE_ID"]
actors = [Where.remote() for _ in range(2)]
def tell():
    print("ran on", *sorted(ray.get([one.name.remote() for one in actors])), flush=True)
tell()
sys.stdin.readline()
tell()
nodes = [one for one in ray.nodes() if "CPU" in one["Resources"] or not one["Alive"]]
print("of", len(nodes), "nodes", sum(one["Alive"] for one in nodes), "live", flush=True)
"""


@contextlib.contextmanager
def head_on(path: Path) -> Iterator[tuple[Folder, Plan, Head]]:
    """Start a head whose nodes are brought to it."""
    ports = block()
    head = {"ports": ports, "dashboard": dashboard_of(ports)}
    plan = build(Plan, {"name": "walk", "head": head, "nodes": {"cpu": {"market": "local", "max_nodes": 2}}})
    folder = Folder(path / "walk")
    started = up(plan, folder, path)
    try:
        yield folder, plan, started
    finally:
        down(folder, Settings())


@contextlib.contextmanager
def answering(place: Place, port: int, text: str) -> Iterator[None]:
    """Answer with a text at an address of this machine."""
    server = socket.create_server((place.address, port))

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                link, _ = server.accept()
                link.sendall(text.encode())
                link.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join()


def ask(place: Place) -> str:
    with contextlib.suppress(OSError), socket.create_connection((place.address, place.first), 5.0) as link:
        return link.recv(100).decode()
    return ""


def state(folder: Folder) -> str:
    return next((note.state for note in notes(folder.path)), "")


def tunnels(folder: Folder) -> list[int]:
    """Processes of ssh that a cluster has."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if str(folder.path / "ssh").encode() in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
    return found


@pytest.fixture
def transport(folder: Folder, plan: Plan) -> Iterator[SshTransport]:
    with contextlib.closing(SshTransport(folder, plan)) as made:
        yield made


@needs_namespaces
def test_a_machine_becomes_a_node_and_ends_itself_when_it_is_let_go_of(
    folder: Folder, plan: Plan, transport: SshTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    here, place, other = (Place(index, plan.head.ports) for index in range(3))
    with (
        machines(1, public_key(folder), RAY) as (machine,),
        answering(here, here.first + 6, "the head"),
        answering(other, other.first, "another node"),
    ):
        reached = machine.reached(place, name=NAME, labels={"usd-per-hour": "1.35"})
        transport.join(reached)
        transport.join(reached)  # as often as somebody likes
        until(lambda: ask(place) == NAME, seconds=60)
        until(lambda: state(folder) == "joined", seconds=20)
        answers, told, _ = eval((machine.disk / "told").read_text())
        assert answers == ["the head", "another node"]
        assert (told["num-cpus"], told["num-gpus"], told["labels"]) == ("1", "0", "usd-per-hour=1.35")
        assert len(tunnels(folder)) == 1

        # no secret is there, in no file and no process
        sent = [path for path in (machine.disk / "home").rglob("*") if path.is_file()]
        assert machine.disk / "home/.synthcity-node/token" in sent
        for path in [*sent, *(Path(f"/proc/{process}/environ") for process in machine.processes())]:
            assert b"canary" not in path.read_bytes(), path
        assert (machine.disk / "home/.synthcity-node").stat().st_mode & 0o077 == 0

        (machine.disk / "told").unlink()
        os.kill(tunnels(folder)[0], signal.SIGKILL)
        until((machine.disk / "told").exists, seconds=60)  # Ray was started anew
        until(lambda: ask(place) == NAME, seconds=60)
        until(lambda: state(folder) == "joined", seconds=20)
        assert transport.failure(NAME) == ""

        transport.leave(NAME)
        until(lambda: not machine.is_alive, seconds=30)
        assert not (machine.disk / "home/.synthcity-node").exists()
        until(lambda: not tunnels(folder) and not notes(folder.path), seconds=20)
        assert not known_hosts(folder, NAME).exists()
    assert "joined: is a node" in (folder.path / "nodes.log").read_text()


@needs_namespaces
def test_what_fails_on_a_machine_is_told_and_kept(folder: Folder, plan: Plan, transport: SshTransport) -> None:
    with machines(1, public_key(folder)) as (machine,):
        place = Place(1, plan.head.ports)
        transport.join(machine.reached(place, name=NAME, prepare="echo no driver >&2; exit 1"))
        until(lambda: transport.failure(NAME), seconds=60)
        assert transport.failure(NAME) == (
            f"machine {NAME}: `prepare` of the cluster file failed on the machine: no driver"
        )
        until(lambda: not machine.is_alive, seconds=30)
        transport.leave(NAME)
    until(lambda: not tunnels(folder), seconds=20)
    assert [(note.state, note.text) for note in notes(folder.path)] == [
        ("failed", "`prepare` of the cluster file failed on the machine: no driver")
    ]


@needs_namespaces
def test_another_host_key_than_was_seen_is_refused(folder: Folder, plan: Plan, transport: SshTransport) -> None:
    other = public_key(folder).split()[:2]
    known_hosts(folder, NAME).write_text(f"{NAME} {' '.join(other)}\n")
    with machines(1, public_key(folder)) as (machine,):
        transport.join(machine.reached(Place(1, plan.head.ports), name=NAME))
        until(lambda: transport.failure(NAME), seconds=60)
        assert "another host key" in transport.failure(NAME)
        assert not (machine.disk / "home/.synthcity-node").exists()


def test_a_plan_with_more_nodes_than_ssh_carries_is_refused(folder: Folder, plan: Plan) -> None:
    many = build(Plan, plain(plan) | {"nodes": {"cpu": {"market": "local", "max_nodes": MOST_REACHED + 1}}})
    with pytest.raises(ConfigError, match=f"{MOST_REACHED} nodes at most, got {MOST_REACHED + 1}"):
        SshTransport(folder, many)


KILLED = """
import sys, time
from pathlib import Path
from synthcity.cluster.folder import Folder
from synthcity.cluster.layout import Place
from synthcity.cluster.joining.transport import Reached
from synthcity.cluster.joining.tunnel import SshTransport
folder, port = Folder(Path(sys.argv[1])), int(sys.argv[2])
place = Place(1, folder.plan.head.ports)
told = {"name": "tests-cpu-1", "kind": "cpu", "place": place, "user": "root", "power_off": ""}
SshTransport(folder, folder.plan).join(Reached(host="127.0.0.1", port=port, **told))
time.sleep(600)
"""


def test_no_ssh_outlives_a_process_that_is_killed(folder: Folder) -> None:
    public_key(folder)
    with socket.create_server(("127.0.0.1", 0)) as mute:  # so that ssh waits
        command = [sys.executable, "-c", KILLED, str(folder.path), str(mute.getsockname()[1])]
        child = subprocess.Popen(command)
        try:
            until(lambda: tunnels(folder), seconds=60, process=child)
        finally:
            child.kill()
            child.wait()
        until(lambda: not tunnels(folder), seconds=10)


@needs_namespaces
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the head outlives what started it
def test_two_machines_join_a_true_head_and_one_stays_a_node_while_its_cable_is_out(tmp_path: Path) -> None:
    with head_on(tmp_path) as (folder, plan, head), machines(2, public_key(folder)) as (one, two):
        with contextlib.closing(SshTransport(folder, plan)) as transport:
            for machine in (one, two):
                place = Place(machine.index, plan.head.ports)
                transport.join(machine.reached(place, name=f"walk-cpu-{machine.index}"))
            until(lambda: [note.state for note in notes(folder.path)] == ["joined"] * 2, seconds=150)
            job = subprocess.Popen(
                [sys.executable, "-c", JOB],
                env={**folder.environment(os.environ), "RAY_ADDRESS": head.gcs},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            assert job.stdin is not None
            assert job.stdout is not None
            with job:
                assert job.stdout.readline() == "ran on walk-cpu-1 walk-cpu-2\n"
                one.cut()
                time.sleep(10)  # the fault itself
                one.mend()
                assert job.communicate("again\n")[0] == "ran on walk-cpu-1 walk-cpu-2\nof 2 nodes 2 live\n"
            transport.leave("walk-cpu-1")
            transport.leave("walk-cpu-2")
            until(lambda: not one.is_alive and not two.is_alive, seconds=60)
        assert tunnels(folder) == []
    assert marked("SYNTHCITY_CLUSTER", str(folder.path)) == []
