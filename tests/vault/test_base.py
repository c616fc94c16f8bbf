from __future__ import annotations

import hashlib
import io
import pickle
from pathlib import Path
from typing import BinaryIO

import pytest

from synthcity.errors import VaultError
from synthcity.vault.base import Digest, digest_of, write_whole
from synthcity.vault.folder import FolderVault


def test_a_digest_is_of_the_whole_file_wherever_it_stood() -> None:
    file = io.BytesIO(b"abc" * 1_000_000)
    file.seek(7)
    assert digest_of(file) == Digest(3_000_000, hashlib.sha256(b"abc" * 1_000_000).hexdigest())
    assert file.tell() == 0


def test_a_vault_is_never_pickled(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="never pickled"):
        pickle.dumps(FolderVault(tmp_path))


class Late(FolderVault):
    """Shows what was put after some looks, cut short the first time."""

    def __init__(self, folder: Path, *, looks: int, cut: int) -> None:
        super().__init__(folder)
        self.looks, self.cut = looks, cut

    def put(self, key: str, file: BinaryIO, digest: Digest) -> None:
        if self.cut:
            self.cut -= 1
            file.seek(0)
            file = io.BytesIO(file.read(3))
        super().put(key, file, digest)

    def head(self, key: str) -> Digest | None:
        if self.looks:
            self.looks -= 1
            return None
        return super().head(key)


def test_what_arrives_late_or_cut_is_seen_and_sent_again(tmp_path: Path) -> None:
    slept: list[float] = []
    file = io.BytesIO(b"content")
    write_whole(Late(tmp_path, looks=3, cut=2), "a.json", file, digest_of(file), sleep=slept.append)
    assert (tmp_path / "a.json").read_bytes() == b"content"
    assert slept == [0.5, 1.0, 2.0]


@pytest.mark.parametrize(("looks", "cut", "found"), [(99, 0, "nothing"), (0, 9, "3 other bytes")])
def test_what_never_arrives_whole_is_an_error(tmp_path: Path, looks: int, cut: int, found: str) -> None:
    file = io.BytesIO(b"content")
    with pytest.raises(VaultError, match=f"holds {found} there"):
        write_whole(Late(tmp_path, looks=looks, cut=cut), "a.json", file, digest_of(file), sleep=lambda _: None)
