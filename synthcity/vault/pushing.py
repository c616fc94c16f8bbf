"""Into a vault: each file whole, then the index that names them all.

A file goes there as it was at one instant: it is opened once, hashed, written, and looked at where it arrived. What an
earlier push of the same run, bundle or store holds already is named and not sent again.
"""

from __future__ import annotations

import io
import logging
import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import synthcity
from synthcity.errors import BundleError, ConfigError, RunError, VaultError
from synthcity.forecast.bundles.verified import MANIFEST, read_bundle
from synthcity.market.store.parquet import Store
from synthcity.vault.base import Vault, digest_of, write_whole
from synthcity.vault.catalogue import keep_catalogue
from synthcity.vault.entry import FORMAT, Entry, RunFacts, StoredFile, is_plain, takes
from synthcity.vault.facts import JOURNAL, NothingToPush, copy_journal, run_facts
from synthcity.vault.folder import FolderVault
from synthcity.vault.layout import Kind, file_key, identified, index_key, new_id
from synthcity.vault.pulling import newest

_log = logging.getLogger(__name__)
_WRITERS = 8  # at a time; a bucket is far away, not slow
Tell = Callable[[int, int], None]
_GROWS = ".jsonl"  # appended to while it is read: taken up to its last whole line
_STATES, _STATE = "checkpoints", ".safetensors"  # of what Ray Tune keeps beside the states, nothing is of use


def ignore(done: int, size: int) -> None:
    pass


@dataclass(frozen=True)
class Source:
    """A file to push under ``path``; ``content`` where it was read already."""

    path: str
    place: Path
    content: bytes | None = None


@dataclass(frozen=True, kw_only=True)
class Parcel:
    """What a folder holds that can be pushed; ``identity`` tells it from all others, however often it is pushed."""

    kind: Kind
    identity: bytes
    folder: Path
    sources: Sequence[Source]
    competition: str = ""
    run: RunFacts | None = None


def push_run(vault: Vault, folder: Path | str) -> Entry:
    """Push a run, which may be going on.

    Returns:
        Its index; the newest one of this run where nothing has changed since.

    Raises:
        RunError: there is no run in ``folder``, or it cannot be read.
        VaultError: the vault failed; nothing that is there was harmed, and the push can be repeated.
    """
    return send(vault, run_parcel(Path(folder)))


def push_bundle(vault: Vault, folder: Path | str) -> Entry:
    """Push a bundle; see ``push_run``.

    Raises:
        BundleError: it is none, or is damaged.
        VaultError: see ``push_run``.
    """
    return send(vault, bundle_parcel(Path(folder)))


def push_store(vault: Vault, folder: Path | str) -> Entry:
    """Push a price store, of which only days that are new or have grown are sent; see ``push_run``.

    Raises:
        DataError: it holds no bars.
        VaultError: see ``push_run``.
    """
    return send(vault, store_parcel(Path(folder)))


def parcel(folder: Path) -> Parcel:
    """Return what ``folder`` holds: a run, a bundle or a price store.

    Raises:
        NothingToPush: it holds none of them.
        BundleError, RunError: it holds one that is damaged.
    """
    if (folder / JOURNAL).is_file():
        return run_parcel(folder)
    if (folder / MANIFEST).is_file():
        return bundle_parcel(folder)
    if Store(folder).list_series():
        return store_parcel(folder)
    raise NothingToPush(f"{str(folder)!r} holds no run, no bundle and no price store; name the folder of one")


def run_parcel(folder: Path) -> Parcel:
    """Return the run in ``folder``; raises as ``push_run``."""
    folder = folder.resolve()
    journal = copy_journal(folder)  # first: what it names is there when the files are listed
    facts = run_facts(folder, journal)
    sources = [Source(JOURNAL, folder / JOURNAL, journal.content)]
    return Parcel(
        kind="run",
        identity=journal.identity,
        folder=folder,
        sources=sources + [source for source in _files(folder) if source.path != JOURNAL],
        competition=facts.competition,
        run=facts,
    )


def bundle_parcel(folder: Path) -> Parcel:
    """Return the bundle in ``folder``; raises as ``push_bundle``."""
    folder = folder.resolve()
    competition = read_bundle(folder).facts.competition or ""
    identity = (folder / MANIFEST).read_bytes()
    return Parcel(
        kind="bundle", identity=identity, folder=folder, sources=list(_files(folder)), competition=competition
    )


def store_parcel(folder: Path) -> Parcel:
    """Return the price store in ``folder``; raises as ``push_store``."""
    folder = folder.resolve()
    store = Store(folder)
    days = [path for series in store.series() for path in store.day_files(series)]
    sources = [Source(path.relative_to(folder).as_posix(), path) for path in days]
    return Parcel(kind="prices", identity=f"prices {folder.name}".encode(), folder=folder, sources=sources)


def send(vault: Vault, parcel: Parcel, *, at: str = "", tell: Tell = ignore) -> Entry:
    """Push ``parcel``.

    Args:
        vault: where to.
        parcel: what.
        at: the id of a push that came to no end; what it has brought is not sent again.
        tell: takes, as files arrive, the bytes that are there and those of all files.

    Raises:
        ConfigError: the vault lies within what is pushed, or the folder has a name that no index may have.
        RunError: a file cannot be read.
        VaultError: see ``push_run``.
    """
    if isinstance(vault, FolderVault) and vault.folder.resolve().is_relative_to(parcel.folder):
        raise ConfigError(
            f"the vault {vault.name} lies within {parcel.folder}, which it is to hold; name another place"
        )
    if not is_plain(parcel.folder.name):
        raise ConfigError(f"{str(parcel.folder)!r} has no plain name, such as sweep, to be found by; rename it first")
    kind = parcel.kind
    before = newest(vault, kind, identified(parcel.identity))
    is_begun = bool(at) and (before is None or at > before.id) and vault.head(index_key(kind, at)) is None
    entry_id = at if is_begun else new_id(parcel.identity, after=before.id if before else "")
    held = {} if before is None else {(file.path, file.digest): file.entry or before.id for file in before.files}

    def bring(source: Source) -> StoredFile | None:
        file = _open(source)
        if file is None:
            return None
        with closing(file):
            digest = digest_of(file)
            earlier = held.get((source.path, digest))
            if earlier is None:
                key = file_key(kind, entry_id, source.path)
                if not (is_begun and vault.head(key) == digest):
                    write_whole(vault, key, file, digest)
        return StoredFile(path=source.path, size=digest.size, sha256=digest.sha256, entry=earlier)

    with ThreadPoolExecutor(_WRITERS) as pool:
        jobs = [pool.submit(bring, source) for source in sorted(parcel.sources, key=lambda source: source.path)]
        files, done, size = list[StoredFile](), 0, _size(parcel.sources)
        try:
            for job in jobs:
                if (file := job.result()) is not None:
                    files.append(file)
                    done += file.size
                    tell(done, max(done, size))  # it may have grown
        finally:
            for job in jobs:
                job.cancel()
    if before is not None and _same(before, files):
        return before
    entry = Entry(
        format=FORMAT,
        kind=kind,
        id=entry_id,
        name=parcel.folder.name,
        time=round(time.time(), 3),
        code=synthcity.__version__,
        competition=parcel.competition,
        files=tuple(files),
        run=parcel.run,
    )
    index = io.BytesIO(entry.to_bytes())
    write_whole(vault, index_key(kind, entry_id), index, digest_of(index))
    if kind == "run":
        try:
            keep_catalogue(vault)
        except VaultError as error:  # the run is there, and lists ask for its index alone
            _log.warning("the catalogue was not written: %s", error)
    return entry


def _size(sources: Iterable[Source]) -> int:
    size = 0
    for source in sources:
        with suppress(OSError):  # it is told of when it is read
            size += source.place.stat().st_size if source.content is None else len(source.content)
    return size


def _same(before: Entry, files: Iterable[StoredFile]) -> bool:
    return {(file.path, file.digest) for file in before.files} == {(file.path, file.digest) for file in files}


def _files(folder: Path) -> Iterator[Source]:
    """Yield the files of a run or bundle that are taken; drafts, links and what others left there are not."""
    for above, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name[0] != ".")
        for name in sorted(names):
            place = Path(above, name)
            path = place.relative_to(folder).as_posix()
            is_taken = path.endswith(_STATE) if path.startswith(f"{_STATES}/") else takes(path)
            if is_taken and name[0] != "." and not place.is_symlink():
                yield Source(path, place)


def _open(source: Source) -> BinaryIO | None:
    """Open a file as it is now; None where it is gone, as an old checkpoint may be."""
    if source.content is not None:
        return io.BytesIO(source.content)
    try:
        file = os.fdopen(os.open(source.place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RunError(f"cannot read {source.place}: {error.strerror or error}") from error
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise BundleError(f"{source.place} is no plain file; only plain files go into a vault")
    if not source.path.endswith(_GROWS):
        return file
    with closing(file):
        content = file.read()
    return io.BytesIO(content[: content.rfind(b"\n") + 1])
