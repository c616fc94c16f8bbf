"""A copy of what a sealed run would publish, taken once: what is checked is what leaves, whoever writes meanwhile."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from synthcity.errors import RunError
from synthcity.private import private_folder

_CHUNK = 1 << 20
_MAX_BYTES = 4 << 30  # of one file
_NAME = re.compile(r"[\w-][\w.-]*(?:/[\w-][\w.-]*)*", re.ASCII)


@contextmanager
def snapshot(folder: Path, files: Mapping[str, str]) -> Iterator[Path]:
    """Yield a private folder with a copy of ``files`` (sha256 by path in ``folder``), each held against its hash.

    Raises:
        RunError: one is missing, no plain file of this folder, or another than was sealed.
    """
    with private_folder() as private:
        for name, sealed in sorted(files.items()):
            if not _NAME.fullmatch(name):
                raise RunError(f"{folder} is sealed with a file called {name[:80]!r}, which no run holds")
            target = private / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if copy_plain(folder, name, target) != sealed:
                raise RunError(f"{folder / name} is not what was sealed: it was edited or damaged; put it back")
        yield private


def copy_plain(folder: Path, name: str, target: Path) -> str:
    """Copy a plain file that lies in ``folder`` itself, and return its sha256.

    Raises:
        RunError: it is missing, or it or a folder on the way is a link, or it cannot be read.
    """
    path = folder
    try:
        for part in Path(name).parts:
            path /= part
            if path.is_symlink():
                raise RunError(f"{path} is a link; a run holds its files itself")
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as source, target.open("wb") as copy:
            found = os.fstat(handle)
            if not stat.S_ISREG(found.st_mode) or found.st_size > _MAX_BYTES:
                raise RunError(f"{path} is no plain file of at most {_MAX_BYTES} bytes")
            hashed = hashlib.sha256()
            while chunk := source.read(_CHUNK):
                hashed.update(chunk)
                copy.write(chunk)
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror or error}; put it back") from error
    return hashed.hexdigest()
