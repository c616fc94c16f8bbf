from __future__ import annotations

import os
from pathlib import Path

import pytest

from synthcity.errors import VaultError
from synthcity.vault.folder import FolderVault
from tests.vault.conformance import check_vault, put


def test_it_is_a_vault(tmp_path: Path) -> None:
    check_vault(FolderVault(tmp_path / "new" / "vault"))


@pytest.mark.parametrize("name", ["blocked", "blocked/below"])
def test_a_place_that_cannot_be_written_to_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / "blocked").touch()
    vault = FolderVault(tmp_path / name)
    with pytest.raises(VaultError, match="blocked"):
        vault.check()
    with pytest.raises(VaultError, match="blocked"):
        put(vault, "runs/a.json", b"")


def test_links_and_pipes_are_nothing(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    vault = FolderVault(tmp_path / "vault")
    put(vault, "runs/a.json", b"whole")
    (tmp_path / "vault/runs/link.json").symlink_to(tmp_path / "secret")
    os.mkfifo(tmp_path / "vault/runs/pipe.json")
    assert vault.head("runs/pipe.json") is None
    with pytest.raises(VaultError):
        vault.read("runs/link.json", most=100)


def test_drafts_of_killed_writers_are_not_there(tmp_path: Path) -> None:
    vault = FolderVault(tmp_path)
    put(vault, "runs/a.json", b"whole")
    (tmp_path / "runs/.b.json.tmp").write_bytes(b"ha")
    assert list(vault.list("runs")) == ["a.json"]
