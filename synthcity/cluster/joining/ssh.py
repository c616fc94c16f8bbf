"""How a machine is called by OpenSSH's client: with a key of the cluster's own and nothing of the user's."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

from synthcity.cluster.folder import Folder
from synthcity.cluster.joining.transport import Reached
from synthcity.cluster.layout import Place
from synthcity.errors import ConfigError, Fatal
from synthcity.private import without_secrets

_PROGRAMS = {"ssh": "openssh-client", "ssh-keygen": "openssh-client", "setpriv": "util-linux"}
_SETTINGS = {
    "BatchMode": "yes",
    "IdentitiesOnly": "yes",
    "IdentityAgent": "none",
    "PreferredAuthentications": "publickey",
    "ForwardAgent": "no",
    "GlobalKnownHostsFile": "/dev/null",
    "UpdateHostKeys": "no",
    "ConnectTimeout": "15",
    # silence is noticed well within the minute that Ray waits for a node
    "ServerAliveInterval": "5",
    "ServerAliveCountMax": "4",
    "ExitOnForwardFailure": "yes",
    "LogLevel": "ERROR",
}


def check_programs() -> None:
    """Raise ConfigError where a program is not installed that reaching machines needs."""
    for program, package in _PROGRAMS.items():
        if shutil.which(program) is None:
            raise ConfigError(f"nodes on other machines need {program}, which is not installed; install {package}")


def public_key(folder: Folder) -> str:
    """Return the line that lets all clusters of this machine into theirs; its key is made when it is first asked for.

    Raises:
        ConfigError: OpenSSH's client is not installed.
        Fatal: no key can be made.
    """
    check_programs()
    path = _key(folder)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with open(path.with_name("ssh-key.lock"), "ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two clusters that are the first at once
        if not path.exists():
            _make_key(path)
    return known_key(folder)


def known_key(folder: Folder) -> str:
    """Return that line without making a key; empty where there is none."""
    path = _key(folder)
    return path.with_suffix(".pub").read_text(encoding="utf-8").strip() if path.exists() else ""


def _make_key(path: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="ssh-key-", dir=path.parent) as new:
        made = subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "synthcity", "-f", f"{new}/key"],
            env=without_secrets(os.environ),
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        if made.returncode:
            raise Fatal(f"no key for the cluster can be made: {made.stderr.strip()}")
        os.replace(f"{new}/key.pub", path.with_suffix(".pub"))
        os.replace(f"{new}/key", path)  # last: where it is, all is


def known_hosts(folder: Folder, name: str) -> Path:
    """Return the file that holds the key of a machine, once it was seen."""
    return folder.path / "ssh" / f"{name}.known"


def command(machine: Reached, folder: Folder, words: str, *, peers: Iterable[Place] | None = None) -> list[str]:
    """Return a command that runs ``words`` in the machine's shell, and ends when the thread that began it does.

    Args:
        machine: which.
        folder: of its cluster.
        words: for its shell.
        peers: nodes that it reaches by the same connection, the head among them, while all of them reach it; None
            forwards nothing.
    """
    settings = {
        **_SETTINGS,
        "HostKeyAlias": machine.name,
        "UserKnownHostsFile": f'"{known_hosts(folder, machine.name)}"',
        "StrictHostKeyChecking": "accept-new",  # no market tells a machine's key
    }
    options = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
    for place in [] if peers is None else [machine.place]:
        options += [word for port in place.ports for word in ("-L", _forward(place, port))]
    for place in peers or ():
        options += [word for port in place.ports for word in ("-R", _forward(place, port))]
    target = ["-l", machine.user, "-p", str(machine.port), "-i", str(_key(folder)), "--", machine.host, words]
    return ["setpriv", "--pdeathsig", "KILL", "ssh", "-F", "none", "-T", *options, *target]


def _forward(place: Place, port: int) -> str:
    """The same address and port on either side; nodes that Ray was told of are found alike everywhere."""
    return f"{place.address}:{port}:{place.address}:{port}"


def _key(folder: Folder) -> Path:
    return folder.path.parent / "ssh-key"  # the market keeps one for an account, so all clusters here share it
