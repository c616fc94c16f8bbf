"""Files and folders that are replaced as a whole, and stay replaced when the power fails.

A reader, or a kill at any system call, meets the old state or the new one. A writer works on a draft beside the target,
``.<name>.tmp``, which the next writer of the same target takes over from a killed one; the order is always: content to
the disk, then the name, then the folder that holds the name. All here raise ``OSError`` and leave what was there.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PUBLIC, PRIVATE = 0o644, 0o600
_EXCHANGE = 2  # RENAME_EXCHANGE of renameat2(2)
_AT_FDCWD = -100
_CANNOT = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP}  # a kernel or file system without it, or one that syncs no folder


def atomic_write(path: Path, content: bytes | str, *, mode: int = PUBLIC) -> None:
    """Replace ``path`` by ``content`` (text as UTF-8) with the permissions ``mode``; folders on the way are made."""
    with atomic_file(path, mode=mode) as draft:
        draft.write_bytes(content.encode() if isinstance(content, str) else content)


@contextmanager
def atomic_file(path: Path, *, mode: int = PUBLIC) -> Iterator[Path]:
    """Replace ``path`` by what the caller writes to the path that is yielded, for libraries that write files."""
    make_folder(path.parent)
    draft = _draft_of(path)
    with _held(draft, os.O_RDWR | os.O_CREAT) as handle:
        try:
            os.ftruncate(handle, 0)
            yield draft
            os.chmod(draft, mode)
            sync(draft)
            os.replace(draft, path)
        except BaseException:
            with suppress(OSError):  # the disk may be gone, not full
                draft.unlink()
            raise
    sync(path.parent)


@contextmanager
def atomic_folder(folder: Path) -> Iterator[Path]:
    """Replace ``folder`` by what the caller puts into the empty folder that is yielded.

    The two change places in one step where the file system can (ext4, XFS, Btrfs, tmpfs and others on Linux). Where it
    cannot, the old one waits under the name that ``standing`` finds until the new one is in its place.
    """
    make_folder(folder.parent)
    draft, aside = _draft_of(folder), _aside_of(folder)
    with suppress(FileExistsError):
        os.mkdir(draft, 0o700)
    with _held(draft, os.O_RDONLY | os.O_DIRECTORY):
        try:
            _restore(folder, aside)
            _clear(draft)
            yield draft
            os.chmod(draft, 0o755)
            sync_all(draft)
            _put(draft, folder, aside)
            sync(folder.parent)
        finally:  # of the failed draft, or of the old folder; what cannot go is taken over by the next writer
            with suppress(OSError):
                _remove(draft)
                if os.path.lexists(folder):
                    _remove(aside)


def standing(folder: Path) -> Path:
    """Return where the content of ``folder`` lies: elsewhere only after a kill where folders cannot change places."""
    aside = _aside_of(folder)
    return aside if not os.path.exists(folder) and os.path.exists(aside) else folder


def make_folder(folder: Path) -> None:
    """Make ``folder`` and those above it, each on the disk before the next."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    try:
        os.mkdir(folder)
    except FileExistsError:
        if not folder.is_dir():  # else another process was faster
            raise
    sync(folder.parent)


def obstacle(path: Path, *, is_folder: bool = False) -> str | None:
    """Return why nothing can be written to ``path``, as far as trying it shows, or None; a folder may be made."""
    place = path if is_folder else path.parent
    try:
        if not is_folder and path.is_dir():
            return f"{path} is a folder"
        if not is_folder and path.exists() and not path.is_file():
            return None  # a pipe or a terminal, which is not replaced
        while is_folder and not os.path.lexists(place):
            place = place.parent
        if not place.is_dir():
            return f"{place} is no folder" if os.path.lexists(place) else f"there is no folder {place}; make it"
        with tempfile.TemporaryFile(dir=place):
            return None
    except OSError as error:
        return f"{place} cannot be written to: {error.strerror or error}"


def sync(path: Path) -> None:
    """Return once a file's content, or the names that a folder holds, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if not (path.is_dir() and error.errno in _CANNOT):
            raise
    finally:
        os.close(handle)


def sync_all(folder: Path) -> None:
    """Return once all that lies in ``folder`` is on the disk."""
    for entry in sorted(folder.iterdir()):
        sync_all(entry) if entry.is_dir() else sync(entry)
    sync(folder)


def _draft_of(path: Path) -> Path:
    return path.with_name(f".{path.name}.tmp")


def _aside_of(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.old")


@contextmanager
def _held(draft: Path, flags: int) -> Iterator[int]:
    """Open ``draft`` and keep other writers out of it; the system lets go of it when the process dies."""
    while True:
        handle = os.open(draft, flags | os.O_NOFOLLOW | os.O_CLOEXEC, PRIVATE)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            if _is_at(handle, draft):  # else the writer that was waited for has moved it into its place
                yield handle
                return
        finally:
            os.close(handle)


def _is_at(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), os.lstat(path))
    except FileNotFoundError:
        return False


def _put(draft: Path, folder: Path, aside: Path) -> None:
    if not os.path.lexists(folder):
        os.rename(draft, folder)
        return
    try:
        _exchange(draft, folder)
    except OSError as error:
        if error.errno not in _CANNOT:
            raise
        os.rename(folder, aside)
        try:
            os.rename(draft, folder)
        except OSError:
            os.rename(aside, folder)
            raise


def _exchange(one: Path, other: Path) -> None:
    """Let two names change places in one step."""
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "renameat2"):
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    if libc.renameat2(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _EXCHANGE):
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), str(other))


def _restore(folder: Path, aside: Path) -> None:
    """Mend what a kill left where folders cannot change places."""
    if os.path.lexists(folder):
        _remove(aside)
    elif os.path.lexists(aside):
        os.rename(aside, folder)


def _clear(folder: Path) -> None:
    for entry in folder.iterdir():
        _remove(entry)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
