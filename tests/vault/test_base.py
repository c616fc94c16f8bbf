from __future__ import annotations

import hashlib
import io
import pickle
from pathlib import Path

import pytest

from synthcity.vault.base import Digest, digest_of
from synthcity.vault.folder import FolderVault


def test_a_digest_is_of_the_whole_file_wherever_it_stood() -> None:
    file = io.BytesIO(b"abc" * 1_000_000)
    file.seek(7)
    assert digest_of(file) == Digest(3_000_000, hashlib.sha256(b"abc" * 1_000_000).hexdigest())
    assert file.tell() == 0


def test_a_vault_is_never_pickled(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="never pickled"):
        pickle.dumps(FolderVault(tmp_path))
