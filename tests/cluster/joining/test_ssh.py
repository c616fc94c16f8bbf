from __future__ import annotations

import shutil
from dataclasses import replace

import pytest

from synthcity.cluster.folder import Folder
from synthcity.cluster.joining.ssh import command, known_hosts, public_key
from synthcity.cluster.joining.transport import Reached
from synthcity.cluster.layout import Place
from synthcity.errors import ConfigError

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


def test_a_key_that_was_told_is_the_only_one_and_else_the_first(folder: Folder) -> None:
    (folder.path / "ssh").mkdir()
    assert "StrictHostKeyChecking=accept-new" in command(MACHINE, folder, "true")
    assert "StrictHostKeyChecking=yes" in command(replace(MACHINE, host_key="ssh-ed25519 AAAA"), folder, "true")
    assert known_hosts(folder, MACHINE.name).read_text() == "tests-cpu-1 ssh-ed25519 AAAA\n"


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
