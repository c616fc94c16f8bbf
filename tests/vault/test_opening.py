from __future__ import annotations

from pathlib import Path

import pytest

from synthcity.errors import ConfigError
from synthcity.settings import Settings
from synthcity.vault.folder import FolderVault
from synthcity.vault.opening import open_vault, vault_address


def test_a_folder_is_a_vault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vault = open_vault(str(tmp_path), Settings())
    assert isinstance(vault, FolderVault)
    assert vault.name == str(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert open_vault("~/kept", Settings()).name == str(tmp_path / "kept")


def test_no_address_is_told_with_the_remedy() -> None:
    with pytest.raises(ConfigError, match="no vault is named; give --vault"):
        open_vault("", Settings())


@pytest.mark.parametrize("address", ["gs://bucket", "s3://", "s3://B", "s3://bucket/a b", "http://x/y", "a\0b", " "])
def test_an_address_that_is_none(address: str) -> None:
    with pytest.raises(ConfigError, match="a vault's address must be a folder or s3://bucket/prefix"):
        open_vault(address, Settings())


@pytest.mark.parametrize("address", ["s3://hip_key:secret@bucket/x", "s3://bucket/x?access_key=hip_key"])
def test_keys_in_an_address_are_refused_and_not_shown(address: str) -> None:
    with pytest.raises(ConfigError, match="holds no keys") as caught:
        vault_address(address)
    assert "hip_key" not in str(caught.value)
