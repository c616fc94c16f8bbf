"""A mark that a process is there: a locked file, which the system lets go however the process ends.

A process id says less: it is used again, and a killed process keeps its own until somebody takes notice.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import time
import weakref
from collections.abc import Iterator
from pathlib import Path

from synthcity.errors import RunError
from synthcity.private import keep_private

LOCK = "miner.lock"
KEPT_SECONDS = 3600.0
"""Files of the dead that are older are removed; a younger one may belong to a process that has not locked it yet."""


class Presence:
    """There from the moment it is built until it is closed or its process ends, kill -9 included."""

    def __init__(self, folder: Path) -> None:
        """Raises OSError where the file cannot be made."""
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.glob("*.lock"):
            with contextlib.suppress(FileNotFoundError):  # replicas that start together all remove them
                if time.time() - path.stat().st_mtime > KEPT_SECONDS and not is_present(folder, path.stem):
                    path.unlink()
        self.name = secrets.token_hex(8)
        self._path = folder / f"{self.name}.lock"
        file = os.open(self._path, os.O_CREAT | os.O_WRONLY, 0o600)
        self._release = weakref.finalize(self, os.close, file)
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def close(self) -> None:
        """Be gone."""
        self._release()
        self._path.unlink(missing_ok=True)


def is_present(folder: Path, name: str) -> bool:
    """Whether the process that built the ``Presence`` of this name still holds it."""
    try:
        with (folder / f"{name}.lock").open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Have the state of a miner for oneself until the end of the block: two would obey each other's champion.

    Raises:
        RunError: another miner has it, or it cannot be written.
    """
    try:
        keep_private(folder)
        file = os.open(folder / LOCK, os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise RunError(f"cannot write the folder {folder} ({error.strerror}); choose another --state") from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(file, 0)
        os.write(file, f"{os.getpid()}\n".encode())
        yield
    except BlockingIOError as error:
        raise RunError(f"another miner runs with the folder {folder}; end it, or name another --state") from error
    finally:
        os.close(file)


def miner_at(folder: Path) -> int | None:
    """Return the process id of the miner that has this state now; None if there is none."""
    try:
        with (folder / LOCK).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        with contextlib.suppress(OSError, ValueError):  # it is about to write it
            return int((folder / LOCK).read_text())
    except OSError:
        pass
    return None
