from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from synthcity.cluster.folder import Folder
from synthcity.cluster.joining.ssh import command, known_key, public_key
from synthcity.cluster.joining.transport import Reached
from synthcity.cluster.layout import Place
from synthcity.errors import ConfigError, Fatal

MACHINE = Reached(name="tests-cpu-1", kind="cpu", place=Place(1, 7000), host="192.0.2.1", user="ubuntu", power_off="")


def test_clusters_share_one_key_that_nobody_else_reads(folder: Folder) -> None:
    key = public_key(folder)
    assert key.startswith("ssh-ed25519 ")
    assert key.endswith(" synthcity")
    assert public_key(folder) == key
    assert public_key(Folder(folder.path.parent / "another")) == key  # the market keeps one for an account
    assert (folder.path.parent / "ssh-key").stat().st_mode & 0o077 == 0


def test_without_openssh_it_is_told_what_to_install(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(ConfigError, match="need ssh, which is not installed; install openssh-client"):
        public_key(folder)


def test_two_clusters_that_are_the_first_at_once_have_one_key(folder: Folder) -> None:
    others = [Folder(folder.path.parent / f"another-{number}") for number in range(4)]
    with ThreadPoolExecutor(4) as pool:
        keys = list(pool.map(public_key, others))
    assert len(set(keys)) == 1
    assert sorted(path.name for path in folder.path.parent.iterdir() if path.is_file()) == [
        *("ssh-key", "ssh-key.lock", "ssh-key.pub")
    ]


def test_what_a_killed_command_has_left_of_a_key_is_no_key(folder: Folder) -> None:
    (folder.path.parent / "ssh-key.pub").write_text("half of one")
    assert known_key(folder) == ""
    assert public_key(folder).startswith("ssh-ed25519 ")


def test_whoever_makes_the_key_knows_no_secret(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BASILICA_API_TOKEN", "market")
    told = list[Mapping[str, str]]()

    def fails(command: list[str], *, env: Mapping[str, str], **_: object) -> subprocess.CompletedProcess[str]:
        told.append(env)
        return subprocess.CompletedProcess(command, 1, "", "no space left")

    monkeypatch.setattr(subprocess, "run", fails)
    with pytest.raises(Fatal, match="no key for the cluster can be made: no space left"):
        public_key(folder)
    assert "PATH" in told[0]
    assert "BASILICA_API_TOKEN" not in told[0]


def test_the_first_key_that_a_machine_shows_is_its_own_and_no_file_of_the_users_is_read(folder: Folder) -> None:
    words = command(MACHINE, folder, "true")
    assert "StrictHostKeyChecking=accept-new" in words
    assert f'UserKnownHostsFile="{folder.path}/ssh/tests-cpu-1.known"' in words
    assert words[words.index("-F") + 1] == "none"


def test_a_tunnel_carries_the_ports_of_all_both_ways(folder: Folder) -> None:
    words = command(MACHINE, folder, "follow", peers=[Place(0, 7000), Place(2, 7000)])
    there = [words[index + 1] for index, word in enumerate(words) if word == "-L"]
    here = [words[index + 1] for index, word in enumerate(words) if word == "-R"]
    assert there == [f"127.0.1.2:{port}:127.0.1.2:{port}" for port in Place(1, 7000).ports]
    assert here[0] == "127.0.1.1:7000:127.0.1.1:7000"
    assert here[-1] == "127.0.1.3:7258:127.0.1.3:7258"
    assert words[-3:] == ["--", "192.0.2.1", "follow"]
    assert words[:4] == ["setpriv", "--pdeathsig", "KILL", "ssh"]
    assert "-L" not in command(MACHINE, folder, "true")
