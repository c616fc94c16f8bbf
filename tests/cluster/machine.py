"""A machine that stands in for a rented one: Linux namespaces of its own, with OpenSSH's server as first process.

It has its own network behind a virtual cable, its own processes, ``/root``, ``/etc/ssh`` and ``/run``; files and
CPUs are those of this machine. Its image has Python and every package already. Root and ``unshare`` are needed: where
they are not, ``missing()`` says what is.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from synthcity.cluster.joining.transport import Reached
from synthcity.cluster.layout import Place
from tests.waiting import until

POWER_OFF = "kill -TERM 1"
MINOR = f"python{sys.version_info[0]}.{sys.version_info[1]}"

_CONFIG = """
Include /etc/ssh/sshd_config.d/*.conf
Port 22
ListenAddress {address}
HostKey /etc/ssh/host_key
PidFile /run/sshd.pid
UsePAM no
StrictModes no
PasswordAuthentication no
PermitRootLogin prohibit-password
SetEnv PATH=/mnt/bin:{path} PYTHONPATH=/mnt/packages:{packages} RAY_worker_niceness=0
"""
# /mnt is where the machine's own disk is seen from inside
_BOOT = """
set -e
mount --bind {disk} /mnt
mount --bind /mnt/ssh /etc/ssh
mount --bind /mnt/passwd /etc/passwd
mount -t tmpfs tmpfs /run
mkdir -m 755 /run/sshd
ip link set lo up
touch {disk}/booted
until ip link set m0 name eth0 2>/dev/null; do sleep 0.02; done
ip addr add {address}/30 dev eth0
ip link set eth0 up
exec /usr/sbin/sshd -D -E /mnt/sshd.log
"""


def missing() -> str:
    """Return what a stand-in machine needs and is not here; empty where all is."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    lacking = [name for name in ("unshare", "ip", "ssh", "setpriv", "iptables-restore") if shutil.which(name) is None]
    if lacking or not Path("/usr/sbin/sshd").exists():
        return f"not installed: {', '.join(lacking or ['sshd'])}"
    tried = subprocess.run(
        [
            "unshare",
            "--net",
            "--mount",
            "--pid",
            "--fork",
            "--mount-proc",
            "sh",
            "-c",
            "ip link add m1 type veth peer name m2",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    return f"no namespaces: {tried.stderr.strip()}" if tried.returncode else ""


class Machine:
    """One machine.

    Args:
        index: of its place in the cluster, from 1 on; no two at a time have the same in one process.
        key: line that is let in.
        ray: program that stands in for Ray there; empty for Ray.

    ``disk`` is its disk seen from outside, ``host`` where it answers, ``here`` this machine's end of the cable.
    """

    def __init__(self, index: int, key: str, ray: str = "") -> None:
        self.disk = Path(tempfile.mkdtemp(prefix="m-", dir="/tmp"))
        number = (os.getpid() * 64 + index) % (1 << 14)  # a network of four addresses each
        network = [10, 200 + (number >> 12), (number >> 4) & 255, (number & 15) * 16]
        self.here, self.host = (".".join(str(part) for part in [*network[:3], network[3] + last]) for last in (1, 2))
        self.cable = f"m{os.getpid() % 10**6}-{index}"
        self._key, self._ray = key, ray
        self._unshare: subprocess.Popen[bytes] | None = None
        self.index = index

    def boot(self) -> None:
        """Let it come up; ssh answers a moment later."""
        disk = self.disk
        for name in ("ssh/sshd_config.d", "home/.ssh", "bin"):
            (disk / name).mkdir(parents=True, exist_ok=True)
        host_key = disk / "ssh/host_key"
        if not host_key.exists():
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(host_key)], check=True)
        (disk / "home/.ssh/authorized_keys").write_text(self._key + "\n")
        (disk / "passwd").write_text(
            "root:x:0:0:root:/mnt/home:/bin/sh\nsshd:x:100:65534::/run/sshd:/usr/sbin/nologin\n"
        )
        if self._ray:
            scripts = disk / "packages/ray/scripts"
            scripts.mkdir(parents=True, exist_ok=True)
            for name, text in {"__init__.py": "", "scripts/__init__.py": "", "scripts/scripts.py": self._ray}.items():
                (disk / "packages/ray" / name).write_text(text)
        packages = ":".join(path for path in sys.path if path.endswith("site-packages"))
        path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        config = _CONFIG.format(address=self.host, path=path, packages=packages)
        (disk / "ssh/sshd_config").write_text(config)
        for name in ("python3", MINOR):
            if not (disk / "bin" / name).exists():
                (disk / "bin" / name).write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
                (disk / "bin" / name).chmod(0o755)
        (disk / "booted").unlink(missing_ok=True)
        command = ["unshare", "--net", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child=KILL"]
        script = _BOOT.format(disk=disk, address=self.host)
        # nothing of this process's environment is the machine's
        self._unshare = subprocess.Popen(
            [*command, "sh", "-c", script], env={"PATH": path}, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until(lambda: (disk / "booted").exists(), seconds=20, process=self._unshare)
        inside = self._first()
        _ip(f"link add {self.cable} type veth peer name m0 netns {inside}")
        _ip(f"addr add {self.here}/30 dev {self.cable}")
        _ip(f"link set {self.cable} up")

    def reached(self, place: Place, *, name: str, kind: str = "cpu", **other: object) -> Reached:
        """Return how a cluster reaches it."""
        fixed = {"name": name, "kind": kind, "place": place, "host": self.host, "user": "root", "power_off": POWER_OFF}
        return Reached(**{**fixed, **other})

    @property
    def pid(self) -> int:
        """Of the process that holds its namespaces, and with which it dies."""
        assert self._unshare is not None
        return self._unshare.pid

    @property
    def is_alive(self) -> bool:
        """Whether it runs."""
        return self._unshare is not None and self._unshare.poll() is None

    def processes(self) -> dict[int, str]:
        """Return its processes, by their ids outside, with their arguments."""
        found = {}
        with contextlib.suppress(OSError):
            inside = os.readlink(f"/proc/{self._first()}/ns/pid")
            for entry in Path("/proc").glob("[0-9]*"):
                with contextlib.suppress(OSError):
                    if os.readlink(entry / "ns/pid") == inside:
                        found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        return found

    def cut(self) -> None:
        """Pull the cable: nothing arrives, and nobody is told."""
        _ip(f"link set {self.cable} down")

    def mend(self) -> None:
        """Put the cable back."""
        _ip(f"link set {self.cable} up")

    def kill(self) -> None:
        """Let it die at once, as a spot machine does, or one whose power fails."""
        if self._unshare is not None and self._unshare.poll() is None:
            with contextlib.suppress(ProcessLookupError, StopIteration):
                os.kill(self._first(), signal.SIGKILL)
            self._unshare.wait()

    def close(self) -> None:
        """Remove all of it."""
        self.kill()
        subprocess.run(["ip", "link", "del", self.cable], capture_output=True, check=False)
        shutil.rmtree(self.disk, ignore_errors=True)

    def _first(self) -> int:
        """Id, outside, of its first process."""
        assert self._unshare is not None
        return int(Path(f"/proc/{self._unshare.pid}/task/{self._unshare.pid}/children").read_text().split()[0])


@contextlib.contextmanager
def machines(count: int, key: str, ray: str = "") -> Iterator[list[Machine]]:
    """Yield machines that have booted, at places 1 and on."""
    with contextlib.ExitStack() as stack:
        found = []
        for index in range(1, count + 1):
            machine = Machine(index, key, ray)
            stack.callback(machine.close)
            machine.boot()
            found.append(machine)
        yield found


def _ip(words: str) -> None:
    subprocess.run(["ip", *words.split()], check=True, capture_output=True, text=True)
