from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from synthcity.errors import RunError
from synthcity.publish.snapshot import snapshot

HASH = hashlib.sha256(b"text").hexdigest()


def test_a_copy_is_private_and_stays_what_it_was(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/b.json").write_bytes(b"text")
    with snapshot(tmp_path, {"a/b.json": HASH}) as copy:
        (tmp_path / "a/b.json").write_bytes(b"edited")
        assert (copy / "a/b.json").read_bytes() == b"text"
        assert copy.stat().st_mode & 0o077 == 0
    assert not copy.exists()


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "a//b", "a/../b", "", ".hidden", "a\n"])
def test_names_that_no_run_has_are_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="which no run holds"), snapshot(tmp_path, {name: HASH}):
        pass


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(RunError, match="is no plain file"), snapshot(tmp_path, {"pipe": HASH}):
        pass
