"""What runs on a machine while it is a node: makes it fit, starts Ray, and ends the machine when nobody needs it.

It is sent there as a file and runs before anything is installed, so it uses the standard library of any Python from 3.8
on. Next to it lie ``node.json`` (what to do), what came with it, and ``said``, a line of JSON for all that happens.
``start`` lets it run by itself; whoever reaches the machine then calls ``follow``, which repeats what was said and what
is said from then on, and shows by its input that somebody is there. Without that for five minutes the machine ends.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.metadata
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import time
import typing
from pathlib import Path

SAID = "said"
TUNNEL = "tunnel"  # what `follow` is told where its connection carries ports
END = "end"  # the word by which a head lets go of a machine
SILENCE_SECONDS = 25.0  # without a word from the head after which a connection is given up, and its ports with it
_DROP_IN = Path("/etc/ssh/sshd_config.d/00-synthcity.conf")
_PAUSE = 0.2
# Ray gives its own helpers 15 seconds, which is little where a disk is cold: it is started again, and a node only goes
# whose Ray ended later, as it does about a minute after the head was lost
_MOST_STARTS, _STEADY_SECONDS = 3, 60.0
_LATE = "The current node timed out during startup"  # as it then says, which can take it longer where all is slow


class Failed(Exception):
    """The machine becomes no node, or is one no more; says why, in a sentence."""


class Node:
    """The machine's end of it.

    Args:
        folder: where this file lies with all that belongs to it; it goes at the end.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.told: dict[str, typing.Any] = json.loads((folder / "node.json").read_text(encoding="utf-8"))
        self._seen, self._reached = 0, time.monotonic()

    def run(self) -> None:
        """Become a node, be one, and end the machine, however that goes."""
        with contextlib.ExitStack() as last:  # from the end on, each whatever became of the others
            last.callback(subprocess.run, self.told["power_off"], shell=True, stdin=subprocess.DEVNULL, check=False)
            last.callback(shutil.rmtree, str(self.folder), ignore_errors=True)
            last.callback(self._end_processes)
            last.callback(self._await_listener)
            try:
                self._be()
            except Failed as error:
                self.say("over", str(error))
            except Exception as error:  # noqa: BLE001 (the machine must end whatever happens)
                self.say("over", f"what runs on the machine failed: {type(error).__name__}: {error}")

    def _be(self) -> None:
        for name, digest in self.told["sha256"].items():
            if hashlib.sha256((self.folder / name).read_bytes()).hexdigest() != digest:
                raise Failed(f"{name} did not arrive as it was sent")
        if self.told["prepare"]:
            self.say("state", "runs what `prepare` of the cluster file says")
            self._call(["/bin/sh", "-c", self.told["prepare"]], "`prepare` of the cluster file failed on the machine")
        self._shut()
        self._open_tunnel()
        python = self._environment()
        self.say("open", "waits for its tunnel")
        while not (_number(self.folder / "tunnel") and _answers(*self.told["gcs"])):
            self._check()
            time.sleep(_PAUSE)
        failed = 0
        while True:
            began = time.monotonic()
            why = self._ray(python, _number(self.folder / "tunnel"))
            failed = failed + 1 if why else 0
            is_steady = time.monotonic() - began > _STEADY_SECONDS and _LATE not in why
            if failed == _MOST_STARTS or (failed and is_steady):
                raise Failed(why)
            self.say("state", f"starts Ray anew, since {why or 'its connection broke'}")

    def _shut(self) -> None:
        """Let nobody in but by ssh: Ray listens on every address of the machine."""
        port = _ssh_port(self.told["port"])
        rules = ["-i lo", "-m conntrack --ctstate ESTABLISHED,RELATED", f"-p tcp --dport {port}"]
        for program, ping in (("iptables", "icmp"), ("ip6tables", "ipv6-icmp")):
            if program == "ip6tables" and not Path("/proc/net/if_inet6").exists():
                continue
            lines = [f"-A SYNTHCITY {rule} -j ACCEPT" for rule in (*rules, f"-p {ping}")]
            text = ["*filter", ":SYNTHCITY - [0:0]", *lines, "-A SYNTHCITY -j DROP", "-I INPUT -j SYNTHCITY", "COMMIT"]
            why = "no firewall could be set up, without which Ray's ports would be open to everybody"
            self._call(_as_root([f"{program}-restore", "--noflush"]), why, text="\n".join(text) + "\n")

    def _open_tunnel(self) -> None:
        """Let the tunnel choose the addresses that it listens on here; ssh's server does not by default."""
        why = "its ssh server could not be told to let the tunnel choose its addresses"
        text = "GatewayPorts clientspecified\nAllowTcpForwarding yes\n"
        self._call(_as_root(["tee", str(_DROP_IN)]), why, text=text)
        found = self._call(_as_root([shutil.which("sshd") or "/usr/sbin/sshd", "-T"]), why)
        if "gatewayports clientspecified" not in found.lower():
            raise Failed(f"{why}: it does not read {_DROP_IN}")
        reload = "systemctl reload ssh || systemctl reload sshd || kill -HUP $(cat /run/sshd.pid)"
        self._call(_as_root(["/bin/sh", "-c", f"({reload}) 2>&1"]), why)

    def _environment(self) -> str:
        """Return a Python of the head's minor version that has every package of the head, in the same version."""
        minor = self.told["python"]
        python = shutil.which(f"python{minor}")
        if python is None:
            here = ".".join(str(part) for part in sys.version_info[:2])
            raise Failed(
                f"the machine has Python {here} and no python{minor}, which the head runs; choose an image with it, "
                "or let `prepare` of the cluster file install it"
            )
        with tarfile.open(str(self.folder / "source.tar.gz")) as archive:
            archive.extractall(str(self.folder / "source"))
        check = [python, __file__, "lacks", str(self.folder / "requirements.txt")]
        lacking = self._call(check, f"python{minor} of the machine does not run").split()
        if not lacking:
            return python
        self.say("state", f"installs {len(lacking)} packages, such as {lacking[0]}")
        made = self.folder / "env"
        why = "its Python environment could not be made"
        self._call([python, "-m", "venv", "--system-site-packages", str(made)], why)
        pip = [str(made / "bin/python"), "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]
        self._call([*pip, "-r", str(self.folder / "requirements.txt")], why)
        return str(made / "bin/python")

    def _ray(self, python: str, tunnel: int) -> str:
        """Run Ray until it ends by itself, and return why, or until another tunnel comes.

        Ray would call a node alive whose connection broke, and never use it.

        Raises:
            Failed: the machine is to end.
        """
        self.say("state", "starts Ray")
        path = os.pathsep.join([str(self.folder / "source"), *filter(None, [os.environ.get("PYTHONPATH")])])
        environment = {
            **os.environ,
            **self.told["environment"],
            "PYTHONPATH": path,
            "PYTHONUNBUFFERED": "1",  # so that the last line of its log is its last word
            "RAY_AUTH_TOKEN_PATH": str(self.folder / "token"),
        }
        command = [python, "-m", "ray.scripts.scripts", "start", "--block", f"--temp-dir={self.folder / 'r'}"]
        log = self.folder / "ray.log"
        with log.open("wb") as file:
            child = subprocess.Popen(
                [*command, *self.told["arguments"]],
                env=environment,
                cwd=str(self.folder),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )
        try:
            joined = False
            while child.poll() is None:
                self._check()
                if _number(self.folder / "tunnel") != tunnel:
                    return ""
                if not joined and _answers(*self.told["address"]):
                    joined = True
                    self.say("joined", "is a node")
                time.sleep(_PAUSE)
        finally:
            if child.poll() is None:
                child.terminate()
                try:
                    child.wait(10)
                except subprocess.TimeoutExpired:
                    child.kill()
            self._end_processes()
        return f"Ray on it ended by itself with {child.returncode}: {_last_line(log)}"

    def _call(self, command: list[str], why: str, *, text: str = "") -> str:
        """Run a command to its end and return what it prints; what it prints last is told where it fails."""
        output = self.folder / "output"
        with output.open("w+b") as file:
            try:
                child = subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    stdout=file,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            except OSError as error:
                raise Failed(f"{why}: {command[0]}: {error.strerror}") from error
            assert child.stdin is not None
            try:
                child.stdin.write(text.encode())
                child.stdin.close()
            except BrokenPipeError:
                pass  # it tells why by itself
            try:
                while child.poll() is None:
                    self._check()
                    time.sleep(0.02)
            except Failed:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
                raise
        if child.returncode:
            raise Failed(f"{why}: {_last_line(output)}")
        return output.read_text(errors="replace")

    def _check(self) -> None:
        if (self.folder / END).exists():
            raise Failed("the head let go of it")
        seen = (self.folder / "seen").stat().st_mtime_ns
        if seen != self._seen:  # how long ago it was no file's time can tell, since the clock may be set meanwhile
            self._seen, self._reached = seen, time.monotonic()
        if time.monotonic() - self._reached > self.told["patience"]:
            raise Failed(f"no head reached it for {self.told['patience']:g} seconds")

    def _await_listener(self) -> None:
        """Give who follows a moment to hear the last word."""
        count = len(_lines(self.folder))
        limit = time.monotonic() + (0.0 if (self.folder / END).exists() else 5.0)
        while time.monotonic() < limit and _number(self.folder / "heard") < count:
            time.sleep(_PAUSE)

    def _end_processes(self) -> None:
        """End what Ray started and let go of."""
        mark = f"RAY_CLOUD_INSTANCE_ID={self.told['name']}".encode()
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (entry / "environ").read_bytes().split(b"\0"):
                    os.kill(int(entry.name), signal.SIGKILL)
            except OSError:
                continue  # another user's, or gone

    def say(self, kind: str, text: str) -> None:
        """Add a line to what was said; a full disk changes nothing but that nobody hears it."""
        with contextlib.suppress(OSError), (self.folder / SAID).open("a", encoding="utf-8") as file:
            file.write(json.dumps({"kind": kind, "text": text}) + "\n")


def start(folder: Path) -> None:
    """Let ``run`` go on by itself, if it does not yet; it holds the lock for as long as it lives."""
    lock = os.open(str(folder / "lock"), os.O_CREAT | os.O_WRONLY, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return
    (folder / "seen").touch()
    with (folder / "node.log").open("ab") as log:
        subprocess.Popen(
            [sys.executable, __file__, "run"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            pass_fds=[lock],
        )


def follow(folder: Path, *, is_tunnel: bool) -> int:
    """Print what is said until the last of it, while the input shows that the head is there.

    Without it the connection is ended from here: its ports would else be taken when the head comes back.
    """
    server, heard, count = os.getppid(), time.monotonic(), 0
    if is_tunnel and folder.exists():
        (folder / "tunnel").write_text(str(_number(folder / "tunnel") + 1), encoding="ascii")
    while True:
        if select.select([0], [], [], _PAUSE)[0]:
            words = os.read(0, 4096)
            if not words or END.encode() in words:
                if words:
                    (folder / END).touch()
                _hang_up(server)
                return 0
            heard = time.monotonic()
            if folder.exists():
                (folder / "seen").touch()
        if time.monotonic() - heard > SILENCE_SECONDS:
            _hang_up(server)
            return 1
        is_over = not _runs(folder)  # before the lines are read: none may follow
        lines = _lines(folder)
        for line in lines[count:]:
            sys.stdout.write(line + "\n")
        sys.stdout.flush()
        if len(lines) > count and folder.exists():
            count = len(lines)
            with contextlib.suppress(OSError):  # a full disk
                (folder / "heard").write_text(str(count), encoding="ascii")
        if lines and json.loads(lines[-1])["kind"] == "over":
            return 0
        if is_over:
            sys.stdout.write(json.dumps({"kind": "over", "text": "what runs on the machine was ended"}) + "\n")
            return 0


def lacks(requirements: Path) -> list[str]:
    """Return the packages of a list of pins that this Python has not, or in another version."""
    found = []
    for line in requirements.read_text(encoding="utf-8").split():
        name, _, version = line.partition("==")
        try:
            here = importlib.metadata.version(name).partition("+")[0]
        except importlib.metadata.PackageNotFoundError:
            here = ""
        if here != version:
            found.append(line)
    return found


def _hang_up(server: int) -> None:
    """End the process of ssh's server that this one's connection has, unless it has ended and another adopted this."""
    if os.getppid() == server and b"sshd" in Path(f"/proc/{server}/cmdline").read_bytes():
        os.kill(server, signal.SIGTERM)


def _runs(folder: Path) -> bool:
    try:
        lock = os.open(str(folder / "lock"), os.O_WRONLY)
    except OSError:
        return False  # it wiped all
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return False
    except OSError:
        return True
    finally:
        os.close(lock)


def _lines(folder: Path) -> list[str]:
    try:
        text = (folder / SAID).read_text(encoding="utf-8")
    except OSError:
        return []
    return text[: text.rfind("\n") + 1].splitlines()


def _number(path: Path) -> int:
    try:
        return int(path.read_text(encoding="ascii") or 0)
    except (OSError, ValueError):
        return 0


def _last_line(path: Path) -> str:
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "it says nothing")[:300]


def _answers(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=2.0).close()
    except OSError:
        return False
    return True


def _ssh_port(told: int) -> int:
    """Return the port that ssh's server has here, to which a market may map the one that the head knows."""
    words = os.environ.get("SSH_CONNECTION", "").split()  # of the client, then of the server: address and port
    return int(words[3]) if len(words) == 4 and words[3].isdigit() else told


def _as_root(command: list[str]) -> list[str]:
    return command if os.geteuid() == 0 else ["sudo", "-n", *command]


if __name__ == "__main__":
    here = Path(__file__).resolve().parent
    if sys.argv[1] == "run":
        Node(here).run()
    elif sys.argv[1] == "start":
        start(here)
    elif sys.argv[1] == "follow":
        sys.exit(follow(here, is_tunnel=sys.argv[2:] == [TUNNEL]))
    else:
        print("\n".join(lacks(Path(sys.argv[2]))))
