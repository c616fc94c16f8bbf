"""Out of a vault: what there is, and files exactly as they were, each held against its hash."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from pathlib import Path
from typing import BinaryIO, TypeVar

from synthcity.errors import ConfigError, RunError, unknown_name
from synthcity.files import atomic_file, atomic_folder
from synthcity.forecast.bundles.verified import read_bundle
from synthcity.vault.base import Absent, TooLarge, Vault, digest_of
from synthcity.vault.entry import MAX_INDEX, DamagedEntry, Entry, StoredFile, parse_entry
from synthcity.vault.layout import FOLDERS, Kind, identity_of, index_key, is_id

_READERS = 16  # at a time
Tell = Callable[[str], None]
T = TypeVar("T")


def _ignore(problem: str) -> None:
    pass


def list_runs(vault: Vault, tell: Tell = _ignore) -> Iterator[Entry]:
    """Yield the runs of a vault, the last pushed first, each as it was pushed last.

    Args:
        vault: which.
        tell: takes a sentence for each index that is damaged, foreign or of a later version; it is left out.

    Raises:
        VaultError: the vault does not answer.
    """
    return _listed(vault, "run", tell)


def list_bundles(vault: Vault, tell: Tell = _ignore) -> Iterator[Entry]:
    """Yield the bundles; see ``list_runs``."""
    return _listed(vault, "bundle", tell)


def list_stores(vault: Vault, tell: Tell = _ignore) -> Iterator[Entry]:
    """Yield the price stores; see ``list_runs``."""
    return _listed(vault, "prices", tell)


def newest(vault: Vault, kind: Kind, identity: str) -> Entry | None:
    """Return the last whole push of what ``layout.identified`` calls ``identity``; None where there is none."""
    for entry in (entry for entry in _ids(vault, kind) if identity_of(entry) == identity):
        try:
            return read_entry(vault, kind, entry)
        except (Absent, DamagedEntry):
            continue
    return None


def read_entry(vault: Vault, kind: Kind, entry: str) -> Entry:
    """Read one index.

    Raises:
        Absent: there is none, so nothing was pushed whole under this id.
        DamagedEntry: it is none.
        VaultError: the vault does not answer.
    """
    key = index_key(kind, entry)
    where = f"{key} in {vault.name}"
    try:
        content = vault.read(key, most=MAX_INDEX)
    except TooLarge as error:
        raise DamagedEntry(str(error)) from error
    return parse_entry(content, kind=kind, id=entry, where=where)


def find(vault: Vault, wanted: str, kinds: Sequence[Kind] = ("run", "bundle", "prices")) -> Entry:
    """Return the entry of this id, or the last pushed of this name.

    Raises:
        ConfigError: there is none.
        DamagedEntry: the index of this id is none.
        VaultError: the vault does not answer.
    """
    names = set()
    for kind in kinds:
        if is_id(wanted):
            try:
                return read_entry(vault, kind, wanted)
            except Absent:
                continue
        for entry in _listed(vault, kind, _ignore):
            if entry.name == wanted:
                return entry
            names.add(entry.name)
    hint = unknown_name("name", wanted, names) if names and not is_id(wanted) else f"it holds no {wanted!r}"
    raise ConfigError(f"nothing to take from {vault.name}: {hint}")


def pull(vault: Vault, entry: Entry, folder: Path | str) -> list[Path]:
    """Restore what was pushed, exactly, and return the files that were written.

    A run or bundle becomes a new folder, all of it or nothing. A price store may be there already: then the days that
    it lacks are added.

    Raises:
        ConfigError: there is something else at ``folder``, or a day of the store is another there.
        VaultError: the vault does not answer, or a file differs from its hash; nothing of a run or bundle is left.
        BundleError: what was pushed as a bundle is none.
        RunError: the disk refuses.
    """
    folder = Path(folder)
    try:
        _refuse_without_room(entry, folder)
        if entry.kind == "prices":
            return _pull_days(vault, entry, folder)
        if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
            raise ConfigError(f"{folder} is there already and stays as it is; name another folder by --to")
        with atomic_folder(folder) as draft:
            _fetch_all(vault, entry, [(file, draft / file.path) for file in entry.files])
            if entry.kind == "bundle":
                read_bundle(draft)
    except OSError as error:
        raise RunError(f"cannot write {folder} ({error.strerror or error}); make space or name another folder") from (
            error
        )
    return [folder / file.path for file in entry.files]


def _refuse_without_room(entry: Entry, folder: Path) -> None:
    above = folder.absolute()
    while not above.exists():
        above = above.parent
    free = shutil.disk_usage(above).free
    if entry.kind != "prices" and entry.size > free:
        raise RunError(
            f"{entry.name!r} has {entry.size / 1e9:,.1f} GB and {above} has room for {free / 1e9:,.1f}; "
            "make space or name another folder (nothing was fetched)"
        )


def fetch(vault: Vault, entry: Entry, file: StoredFile, target: BinaryIO) -> None:
    """Write one file of an entry to ``target``, which can be read again.

    Raises:
        Absent: it is gone.
        DamagedEntry: it differs from its hash.
        VaultError: the vault does not answer.
    """
    try:
        vault.get(entry.key_of(file), target, most=file.size)
    except TooLarge as error:
        raise DamagedEntry(str(error)) from error
    if digest_of(target) != file.digest:
        raise DamagedEntry(f"{entry.key_of(file)} in {vault.name} differs from its hash; it is damaged, push it again")


def _pull_days(vault: Vault, entry: Entry, folder: Path) -> list[Path]:
    missing = [(file, folder / file.path) for file in entry.files if not (folder / file.path).exists()]
    for file in entry.files:
        place = folder / file.path
        if place.exists() and hashlib.sha256(place.read_bytes()).hexdigest() != file.sha256:
            raise ConfigError(
                f"{place} is another day than in {vault.name}, which stays as it is; pull into another folder"
            )
    _fetch_all(vault, entry, missing)
    return [place for _, place in missing]


def _fetch_all(vault: Vault, entry: Entry, wanted: Sequence[tuple[StoredFile, Path]]) -> None:
    def one(file: StoredFile, place: Path) -> None:
        with atomic_file(place) as draft, draft.open("w+b") as target:
            fetch(vault, entry, file, target)

    with ThreadPoolExecutor(_READERS) as pool:
        jobs = [pool.submit(one, file, place) for file, place in wanted]
        try:
            for job in jobs:
                job.result()
        finally:
            for job in jobs:
                job.cancel()


def pushes_of(vault: Vault, kind: Kind) -> list[list[str]]:
    """Return the ids of the pushes of each run (bundle, store), newest first, the run that was pushed last first."""
    found: dict[str, list[str]] = {}
    for entry in _ids(vault, kind):
        found.setdefault(identity_of(entry), []).append(entry)
    return list(found.values())


def read_last(pushes: Sequence[Sequence[str]], read: Callable[[str], T], tell: Tell) -> Iterator[T]:
    """Yield what ``read`` makes of the newest whole one of each group of ids; see ``list_runs`` for ``tell``."""

    def last(ids: Sequence[str]) -> tuple[T | None, list[DamagedEntry]]:
        damaged: list[DamagedEntry] = []
        for entry in ids:
            try:
                return read(entry), damaged
            except Absent:  # that push came to no end
                continue
            except DamagedEntry as error:
                damaged.append(error)
        return None, damaged

    waiting = iter(pushes)
    with ThreadPoolExecutor(_READERS) as pool:
        while chunk := list(islice(waiting, 2 * _READERS)):
            for found, damaged in pool.map(last, chunk):
                for error in damaged:
                    tell(f"{error}; it is left out")
                if found is not None:
                    yield found


def _ids(vault: Vault, kind: Kind) -> Iterator[str]:
    """Yield the ids of a kind, the last pushed first; those whose push came to no end among them."""
    names = [name[:-1] for name in vault.list(FOLDERS[kind]) if name.endswith("/") and is_id(name[:-1])]
    yield from sorted(names, reverse=True)


def _listed(vault: Vault, kind: Kind, tell: Tell) -> Iterator[Entry]:
    return read_last(pushes_of(vault, kind), partial(read_entry, vault, kind), tell)
