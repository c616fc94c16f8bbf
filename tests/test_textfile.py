from __future__ import annotations

import os
from pathlib import Path

import pytest

from synthcity.errors import ConfigError
from synthcity.textfile import MOST_BYTES, read_text

TEXT = "name: Zürich\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_reads_what_an_editor_saved(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "file").write_bytes(TEXT.encode(encoding))
    assert read_text(tmp_path / "file", "the file") == TEXT


@pytest.mark.parametrize("encoding", ["utf-16-be", "utf-16-le", "utf-32-be"])
def test_big_and_little_ends(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "file").write_bytes(("\ufeff" + TEXT).encode(encoding))
    assert read_text(tmp_path / "file", "the file") == TEXT


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"a: 1\nname: Z\xfcrich\n", "line 2 is not UTF-8; save it as UTF-8"),
        (TEXT.encode("utf-16-le"), "it is binary, or in an encoding without a mark; save it as UTF-8"),
        (b"\x89PNG\0\0", "it is binary"),
        (b"\xff\xfea", "line 1 is not UTF-16; save it as UTF-8"),
        (b"#" * (MOST_BYTES + 1), "it has 1,048,577 bytes, more than the 1,048,576"),
    ],
)
def test_what_is_no_text_is_one_sentence(tmp_path: Path, data: bytes, sentence: str) -> None:
    (tmp_path / "file").write_bytes(data)
    with pytest.raises(ConfigError) as caught:
        read_text(tmp_path / "file", "the sweep file")
    assert str(caught.value).startswith(f"cannot read the sweep file '{tmp_path}/file': ")
    assert sentence in str(caught.value)


def test_what_is_no_file_is_one_sentence(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for name, sentence in (
        (tmp_path, "it is a folder; name a file"),
        (tmp_path / "pipe", "it is a pipe or a device; name a file"),
        (Path("/dev/zero"), "it is a pipe or a device"),
        (tmp_path / "absent", "No such file"),
        (tmp_path / "loop", "symbolic links"),
        (tmp_path / "a\0b", "null byte"),
        (tmp_path / ("x" * 300), "File name too long"),
    ):
        with pytest.raises(ConfigError, match=sentence):
            read_text(name, "the file")
