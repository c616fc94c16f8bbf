"""Where bundles turn up that may race: a folder that they are copied to, or a vault that searches push to."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from synthcity.errors import BundleError, ConfigError
from synthcity.forecast.bundles.choose import identify
from synthcity.forecast.bundles.verified import MANIFEST
from synthcity.vault import Entry, Vault, list_bundles, open_vault, pull

VAULT, BUCKET = "vault:", "s3://"


@dataclass(frozen=True, kw_only=True)
class Found:
    """A bundle of a place: its ``name`` there, its hash, and what brings it to a folder of this machine.

    ``state`` is another one where anything of it was written since, as while it is being copied.
    """

    name: str
    bundle: str
    state: str
    fetch: Callable[[], Path]


class Place(Protocol):
    """Where to look; ``name`` as an operator reads it."""

    name: str

    def bundles(self) -> Iterator[Found]:
        """Yield what is there, the newest first.

        Raises:
            SynthcityError: it cannot be read, or does not answer.
        """


def open_place(where: str, scratch: Path) -> Place:
    """Return the place that a person wrote: a folder of bundles, ``vault:`` with an address, or ``s3://bucket/prefix``.

    ``vault:`` alone is the bucket that HIPPIUS_BUCKET names. What is taken out of a vault lies in ``scratch`` first.

    Raises:
        ConfigError: there is no such folder, or no such vault can be.
    """
    if where.startswith((VAULT, BUCKET)):
        return _Vaulted(open_vault(where.removeprefix(VAULT)), scratch)
    if not Path(where).is_dir():
        raise ConfigError(f"there is no folder {where} to watch; make it, or write vault: or s3://bucket/prefix")
    return _Folder(Path(where).absolute())


class _Folder:
    """Bundles in a folder, or the folder of one bundle, by when they were finished."""

    def __init__(self, folder: Path) -> None:
        self.name, self._folder = str(folder), folder

    def bundles(self) -> Iterator[Found]:
        paths = [*self._folder.glob(f"*/{MANIFEST}"), *self._folder.glob(MANIFEST)]
        times: dict[Path, float] = {}
        for path in paths:
            if path.parent != self._folder and path.parent.name.startswith("."):  # a draft
                continue
            try:
                times[path.parent] = path.stat().st_mtime
            except OSError:  # it is being replaced
                continue
        for folder in sorted(times, key=lambda one: (times[one], one.name), reverse=True):
            try:
                bundle, state = identify(str(folder)), _state(folder)
            except (BundleError, OSError):
                continue
            yield Found(name=str(folder), bundle=bundle, state=state, fetch=partial(_standing, folder))


class _Vaulted:
    """Bundles in a vault, the last pushed first."""

    def __init__(self, vault: Vault, scratch: Path) -> None:
        self.name, self._vault, self._scratch = vault.name, vault, scratch

    def bundles(self) -> Iterator[Found]:
        for entry in list_bundles(self._vault):
            for manifest in (file.sha256 for file in entry.files if file.path == MANIFEST):
                name = f"{entry.name} in {self.name}"
                yield Found(name=name, bundle=manifest, state=manifest, fetch=partial(self._fetch, entry))

    def _fetch(self, entry: Entry) -> Path:
        shutil.rmtree(self._scratch, ignore_errors=True)
        pull(self._vault, entry, self._scratch)
        return self._scratch


def _standing(folder: Path) -> Path:
    return folder


def _state(folder: Path) -> str:
    """Return what changes with any file of a folder: names, sizes and times."""
    told = [(str(path), path.lstat()) for path in sorted(folder.rglob("*"))]
    lines = [f"{name} {one.st_size} {one.st_mtime_ns} {one.st_ctime_ns}" for name, one in told]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
