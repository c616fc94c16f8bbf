"""What others on this machine must neither see nor change: temporary folders, and secrets on the way to children."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import select
import shutil
import signal
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from synthcity.errors import Fatal

_PREFIX, _LOCK = "synthcity-", "lock"
_SECRET = re.compile(
    r"(?:^|_)(?:KEY|KEYS|TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|PW|MNEMONIC|SEED|CREDENTIALS|WEBHOOK)(?:_|$)"
)
_PLAIN = re.compile(r"_(?:NAME|PATH|FILE|DIR|URL)$")


@contextlib.contextmanager
def private_folder(*, longest: int | None = None, programs: Iterable[str] = ()) -> Iterator[Path]:
    """Yield a temporary folder that only this user may enter; it goes at the end, and what killed processes left goes.

    Args:
        longest: bytes that its path may have, where sockets lie in it; a longer ``TMPDIR`` gives way to ``/tmp``.
        programs: names of executables that work on the folder and are ended with it, by their own ids.

    Raises:
        Fatal: no such folder can be made.
    """
    try:
        root = Path(tempfile.gettempdir())
        if longest is not None and len(os.fsencode(root / f"{_PREFIX}{'x' * 8}")) > longest:
            root = Path("/tmp")
        remove_stale(programs)
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=root))  # of mode 0700
    except OSError as error:
        raise _no_folder(error) from error
    try:
        lock = os.open(folder / "new", os.O_CREAT | os.O_WRONLY, 0o600)
    except OSError as error:
        folder.rmdir()
        raise _no_folder(error) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        (folder / "new").rename(folder / _LOCK)  # so that nobody finds a lock that is not held yet
        yield folder
    finally:
        end_processes(folder, programs)
        shutil.rmtree(folder, ignore_errors=True)  # what writes there may still be closing its logs
        os.close(lock)


def _no_folder(error: OSError) -> Fatal:
    why = f"{error.filename}: {error.strerror}" if error.filename else error.strerror or error
    return Fatal(f"no temporary folder can be made ({why}); make space there, or let TMPDIR name another place")


@contextlib.contextmanager
def private_files() -> Iterator[None]:
    """Whatever this process and its children make meanwhile is for this user alone, unless they say otherwise."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def keep_private(folder: Path) -> None:
    """Make a folder that only this user may enter, or shut one that others may; the files in it alike.

    Raises:
        OSError: it cannot be made.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for path in (folder, *folder.rglob("*")):
        with contextlib.suppress(FileNotFoundError, PermissionError):  # gone meanwhile, or another user's
            if not path.is_symlink() and path.stat().st_mode & 0o077:
                path.chmod(path.stat().st_mode & 0o700)


def remove_stale(programs: Iterable[str] = ()) -> None:
    """Remove the folders of this user's processes that were killed, and end ``programs`` that live on in them.

    The system lets go of a lock however its process ends, so a folder whose lock is free belongs to nobody.
    """
    programs = tuple(programs)
    roots = {Path(tempfile.gettempdir()), Path("/tmp")}  # the latter where a path would have been too long
    for folder in (folder for root in roots for folder in root.glob(f"{_PREFIX}*")):
        with contextlib.suppress(OSError):  # locked by its owner, or another process is removing it too
            if folder.is_symlink() or not folder.is_dir() or folder.stat().st_uid != os.getuid():
                continue
            lock = os.open(folder / _LOCK, os.O_WRONLY | os.O_NOFOLLOW)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                end_processes(folder, programs)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(lock)


def end_processes(folder: Path, programs: Iterable[str]) -> list[int]:
    """Kill this user's processes of these names whose arguments lie in ``folder``; return their ids once they are gone.

    Where there is no ``/proc`` none is found.
    """
    programs, ended = set(programs), []
    for entry in Path("/proc").glob("[0-9]*") if programs else ():
        with contextlib.suppress(OSError):
            arguments = (entry / "cmdline").read_bytes().split(b"\0")
            inside = any(argument.startswith(os.fsencode(folder) + b"/") for argument in arguments)
            if (
                inside
                and os.path.basename(os.fsdecode(arguments[0])) in programs
                and entry.stat().st_uid == os.getuid()
            ):
                _kill(int(entry.name))
                ended.append(int(entry.name))
    return ended


def _kill(pid: int) -> None:
    handle = os.pidfd_open(pid)  # from here on the id cannot mean another process
    try:
        signal.pidfd_send_signal(handle, signal.SIGKILL)
        select.select([handle], [], [], 5.0)
    finally:
        os.close(handle)


def secret_names(environ: Mapping[str, str], *, needed: Iterable[str] = ()) -> list[str]:
    """Return the variables that hold a secret by their name, but for those that begin as one of ``needed`` does."""
    needed = tuple(needed)
    return [
        name
        for name in environ
        if _SECRET.search(name.upper()) and not _PLAIN.search(name.upper()) and not name.startswith(needed)
    ]


@contextlib.contextmanager
def environment(values: Mapping[str, str | None]) -> Iterator[None]:
    """Set environment variables for a while, or unset those that are None."""
    before = {name: os.environ.get(name) for name in values}
    _set_environment(values)
    try:
        yield
    finally:
        _set_environment(before)


def without_secrets(environ: Mapping[str, str], *, needed: Iterable[str] = ()) -> dict[str, str]:
    """Return the environment of a child that needs no secrets but those that begin as one of ``needed`` does."""
    left_out = set(secret_names(environ, needed=needed))
    return {name: value for name, value in environ.items() if name not in left_out}


def _set_environment(values: Mapping[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
