"""What every vault has to do, whoever keeps it."""

from __future__ import annotations

import io

import pytest

from synthcity.errors import VaultError
from synthcity.vault.base import Absent, Vault, digest_of


def put(vault: Vault, key: str, content: bytes) -> None:
    file = io.BytesIO(content)
    vault.put(key, file, digest_of(file))


def check_vault(vault: Vault) -> None:
    """Write, read, list and remove."""
    vault.check()
    assert list(vault.list("runs")) == []
    assert vault.head("runs/a/x.json") is None
    with pytest.raises(Absent, match=r"holds no runs/a/x\.json"):
        vault.read("runs/a/x.json", most=10)
    contents = {"runs/a/x.json": b"x", "runs/a/y=20z.bin": b"", "runs/b/c/d.txt": b"d" * 5000, "x.json": b"1"}
    for key, content in contents.items():
        put(vault, key, content)
    for key, content in contents.items():
        assert vault.read(key, most=5000) == content
        assert vault.head(key) == digest_of(io.BytesIO(content))
    assert list(vault.list("runs")) == ["a/", "b/"]
    assert list(vault.list("runs/a")) == ["x.json", "y=20z.bin"]
    assert list(vault.list("runs/b")) == ["c/"]
    with pytest.raises(VaultError, match=r"d\.txt .* has more than the 4,999 bytes"):
        vault.read("runs/b/c/d.txt", most=4999)
    with pytest.raises(Absent):
        vault.read("runs/a", most=10)
    put(vault, "x.json", b"22")
    assert vault.read("x.json", most=2) == b"22"
    vault.delete("x.json")
    vault.delete("x.json")
    assert vault.head("x.json") is None
    with pytest.raises(ValueError, match="a key is made of"):
        put(vault, "runs/../../etc/x", b"")
    vault.check()
    assert list(vault.list("")) == ["runs/"]
