"""What a careless disk does to a file."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path


def empty(path: Path) -> None:
    path.write_bytes(b"")


def halve(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def flip(path: Path) -> None:
    """Turn one bit of the last number."""
    content = bytearray(path.read_bytes())
    content[-2] ^= 1
    path.write_bytes(content)


DAMAGES: dict[str, Callable[[Path], None]] = {
    "emptied": empty,
    "halved": halve,
    "bit flipped": flip,
    "missing": Path.unlink,
    "folder missing": lambda path: shutil.rmtree(path.parent),
}
