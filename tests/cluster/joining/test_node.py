"""What runs on a machine, run here with programs that stand in for those of a system."""

from __future__ import annotations

import fcntl
import hashlib
import importlib.metadata
import io
import json
import os
import re
import socket
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest

from synthcity.cluster.joining import node
from synthcity.cluster.joining.node import END, Failed, Node, lacks
from tests.ports import free_ports
from tests.waiting import until

MINOR = f"{sys.version_info[0]}.{sys.version_info[1]}"
# stands in for every Python of the machine: the real one for what it can, Ray that breaks, a pip that finds nothing
PYTHON = f"""#!/bin/sh
case "$*" in
  *ray.scripts*) echo "$RAY_CLOUD_INSTANCE_ID at $PYTHONPATH"; echo "$(/bin/cat late 2>&-)it breaks in $0" >&2; exit 3;;
  *venv*) for last; do :; done; /bin/mkdir -p "$last/bin"; /bin/cp "$0" "$last/bin/python";;
  *pip*) [ -e click ] && exit 0; echo "ERROR: No matching distribution" >&2; exit 1;;
  *) exec {sys.executable} "$@";;
esac
"""
SYSTEM = {
    "iptables-restore": "/bin/cat > /dev/null",
    "ip6tables-restore": "/bin/cat > /dev/null",
    "tee": "/bin/cat > /dev/null",
    "systemctl": "exit 0",
    "sshd": "echo gatewayports clientspecified",
    "sudo": 'shift; exec "$@"',
}


class Heard(Node):
    """Keeps what it says, as all it writes goes at its end."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.said: list[tuple[str, str]] = []

    def say(self, kind: str, text: str) -> None:
        self.said.append((kind, text))


@dataclass
class Machine:
    """A folder as the head sends it, and a ``PATH`` with nothing but what stands in for a system's programs."""

    folder: Path
    programs: Path
    off: Path

    def told(self, **other: object) -> None:
        """Write what the node is to do."""
        files = ("source.tar.gz", "requirements.txt")
        plain = {
            **{"name": "tests-cpu-1", "python": MINOR, "prepare": "", "power_off": f"/usr/bin/touch {self.off}"},
            **{"port": 22, "gcs": ["127.0.0.1", free_ports(1)[0]], "address": ["127.0.0.1", free_ports(1)[0]]},
            **{"arguments": [], "environment": {"RAY_CLOUD_INSTANCE_ID": "tests-cpu-1"}, "patience": 60.0},
            "sha256": {name: hashlib.sha256((self.folder / name).read_bytes()).hexdigest() for name in files},
        }
        (self.folder / "node.json").write_text(json.dumps(plain | other))

    def runs(self) -> list[tuple[str, str]]:
        """Let it run in this process, and return what it said to its end."""
        (self.folder / "seen").touch()
        (self.folder / "tunnel").write_text("1")
        one = Heard(self.folder)
        one.run()
        return one.said

    def call(self, what: str, *, word: str = "") -> str:
        command = [sys.executable, str(self.folder / "node.py"), what]
        child = subprocess.Popen(
            command, env={"PATH": str(self.programs)}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert child.stdin is not None
        assert child.stdout is not None
        with child:
            child.stdin.write(f"{word}\n")
            child.stdin.flush()
            return child.stdout.read()  # the input stays open meanwhile


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine(tmp_path / "sent", tmp_path / "bin", tmp_path / "off")
    made.folder.mkdir()
    made.programs.mkdir()
    for name, text in SYSTEM.items():
        (made.programs / name).write_text(f"#!/bin/sh\n{text}\n")
    (made.programs / f"python{MINOR}").write_text(PYTHON)
    for path in made.programs.iterdir():
        path.chmod(0o755)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        archive.addfile(tarfile.TarInfo("synthcity"), io.BytesIO())
    (made.folder / "source.tar.gz").write_bytes(packed.getvalue())
    (made.folder / "requirements.txt").write_text(f"click=={importlib.metadata.version('click')}\n")
    (made.folder / "node.py").write_bytes(Path(node.__file__).read_bytes())
    made.told()
    monkeypatch.setenv("PATH", str(made.programs))
    return made


def test_when_ray_ends_all_is_wiped_and_the_machine_powered_off(machine: Machine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gcs:
        machine.told(gcs=gcs.getsockname())
        said = machine.runs()
    why = f"Ray on it ended by itself with 3: it breaks in {machine.programs}/python{MINOR}"
    again = [("state", "starts Ray"), ("state", f"starts Ray anew, since {why}")]
    assert said[1:] == [*again, *again, ("state", "starts Ray"), ("over", why)]
    assert machine.off.exists()
    assert not machine.folder.exists()


def test_a_node_whose_ray_ran_for_a_while_and_ended_goes(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node, "_STEADY_SECONDS", 0.0)
    with socket.create_server(("127.0.0.1", 0)) as gcs:
        machine.told(gcs=gcs.getsockname())
        said = machine.runs()
    assert [kind for kind, _ in said] == ["open", "state", "over"]


def test_a_node_that_missed_rays_own_time_is_started_again_however_long_that_took(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node, "_STEADY_SECONDS", 0.0)
    (machine.folder / "late").write_text("Exception: The current node timed out during startup. This could happen as ")
    with socket.create_server(("127.0.0.1", 0)) as gcs:
        machine.told(gcs=gcs.getsockname())
        said = machine.runs()
    assert [text for _, text in said].count("starts Ray") == 3


@pytest.mark.parametrize(
    ("told", "without", "expected"),
    [
        ({"sha256": {"requirements.txt": "0" * 64}}, "", "requirements.txt did not arrive as it was sent"),
        ({"prepare": "echo first; echo no disk >&2; exit 3"}, "", "`prepare` of the .* failed on the machine: no disk"),
        ({}, "iptables-restore", "no firewall could be set up, .*iptables-restore"),
        ({}, "tee", "ssh server could not be told .*tee"),
        ({"python": "3.99"}, "", r"has Python 3\.\d+ and no python3.99, which the head runs; choose an image"),
        ({"patience": 0.3}, "", r"no head reached it for 0.3 seconds"),
        ({"sha256": None}, "", "what runs on the machine failed: AttributeError"),
    ],
)
def test_each_way_to_fail_has_a_sentence(
    machine: Machine, told: Mapping[str, object], without: str, expected: str
) -> None:
    machine.told(**told)
    if without:
        (machine.programs / without).unlink()
    kind, text = machine.runs()[-1]
    assert kind == "over"
    assert re.search(expected, text), text
    assert machine.off.exists()
    assert not machine.folder.exists()


def test_what_a_server_does_not_read_and_what_pip_does_not_find_are_told(machine: Machine) -> None:
    (machine.folder / "requirements.txt").write_text("click==0.0.1\nno-such-package==1\n")
    machine.told()
    said = machine.runs()
    assert said[0] == ("state", "installs 2 packages, such as click==0.0.1")
    assert said[-1][1] == "its Python environment could not be made: ERROR: No matching distribution"


def test_what_it_lacks_is_installed_in_an_environment_of_its_own(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "click").touch()  # the index has it
    monkeypatch.chdir(tmp_path)
    (machine.folder / "requirements.txt").write_text("click==0.0.1\n")
    with socket.create_server(("127.0.0.1", 0)) as gcs:
        machine.told(gcs=gcs.getsockname())
        said = machine.runs()
    assert said[-1][1] == f"Ray on it ended by itself with 3: it breaks in {machine.folder}/env/bin/python"


def test_a_server_that_does_not_read_what_is_added_is_told(machine: Machine) -> None:
    (machine.programs / "sshd").write_text("#!/bin/sh\necho gatewayports no\n")
    assert machine.runs()[-1][1].endswith("it does not read /etc/ssh/sshd_config.d/00-synthcity.conf")


def test_it_runs_once_tells_who_comes_later_and_ends_when_it_is_let_go_of(machine: Machine) -> None:
    machine.told(prepare="exec /bin/sleep 600")
    machine.call("start")
    machine.call("start")
    until(lambda: (machine.folder / "said").exists(), seconds=20)
    assert machine.call("follow", word=END) == ""
    until(lambda: machine.off.exists() and not machine.folder.exists(), seconds=20)


def test_who_follows_hears_all_and_shows_that_a_head_is_there(machine: Machine) -> None:
    with (machine.folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # it runs
        for kind in ("open", "joined", "over"):
            Node(machine.folder).say(kind, "told")
        said = [json.loads(line)["kind"] for line in machine.call("follow").splitlines()]
    assert said == ["open", "joined", "over"]
    assert (machine.folder / "heard").read_text() == "3"
    assert (machine.folder / "seen").exists()


def test_of_what_was_killed_the_end_is_told(machine: Machine) -> None:
    assert [json.loads(line)["text"] for line in machine.call("follow").splitlines()] == [
        "what runs on the machine was ended"
    ]


def test_a_pin_counts_whatever_the_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    versions = {"torch": "2.13.0+cu128", "numpy": "2.0.1"}
    monkeypatch.setattr(importlib.metadata, "version", versions.__getitem__)
    (tmp_path / "pins").write_text("torch==2.13.0\nnumpy==2.1.0\n")
    assert lacks(tmp_path / "pins") == ["numpy==2.1.0"]


@pytest.mark.parametrize(
    ("connection", "port"), [("192.0.2.7 40000 10.0.0.2 22", 22), ("192.0.2.7 40000 10.0.0.2 2200", 2200), ("", 31022)]
)
def test_the_port_that_stays_open_is_the_one_that_ssh_has_there(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, connection: str, port: int
) -> None:
    (machine.programs / "iptables-restore").write_text(f"#!/bin/sh\nexec /bin/cat > {tmp_path}/rules\n")
    monkeypatch.setenv("SSH_CONNECTION", connection)
    machine.told(port=31022)  # which a market maps to it
    (machine.folder / "seen").touch()
    Node(machine.folder)._shut()
    assert f"-A SYNTHCITY -p tcp --dport {port} -j ACCEPT" in (tmp_path / "rules").read_text().splitlines()


def test_a_clock_that_is_set_ends_no_machine_and_silence_does(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(node, "time", SimpleNamespace(monotonic=lambda: now))
    seen = machine.folder / "seen"
    seen.touch()
    made = Node(machine.folder)
    for hour in (-2, 0, 2, 2000):  # the clock is set back and on, while the head shows that it is there
        os.utime(seen, (hour * 3600.0, hour * 3600.0))
        now += 59.0
        made._check()
    now += 59.0
    made._check()
    now += 2.0
    with pytest.raises(Failed, match="no head reached it for 60 seconds"):
        made._check()


def test_the_machine_ends_although_nothing_can_be_said(machine: Machine) -> None:
    machine.told(prepare="exit 3")
    (machine.folder / "said").mkdir()  # as little can be written there as on a full disk
    (machine.folder / "seen").touch()
    Node(machine.folder).run()
    assert machine.off.exists()
    assert not machine.folder.exists()


def test_the_machine_ends_whatever_becomes_of_the_last_words(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: Node) -> None:
        raise RuntimeError("what nobody thought of")

    machine.told(prepare="exit 3")
    for name in ("_await_listener", "_end_processes"):
        monkeypatch.setattr(Heard, name, fails)
    with pytest.raises(RuntimeError, match="nobody thought of"):
        machine.runs()
    assert machine.off.exists()
    assert not machine.folder.exists()
