"""A vault that is a folder: another disk, a mounted share, a stick."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from synthcity.errors import VaultError
from synthcity.files import atomic_file, obstacle
from synthcity.vault.base import CHUNK, Absent, Digest, Vault, digest_of, too_large
from synthcity.vault.layout import checked


class FolderVault(Vault):
    """Objects as files; each appears whole or not at all."""

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder).absolute()

    @property
    def name(self) -> str:
        """The folder."""
        return str(self.folder)

    def check(self) -> None:
        """Try to write there; the folder itself may still have to be made."""
        if problem := obstacle(self.folder, is_folder=True):
            raise VaultError(f"the vault cannot be used: {problem}")

    def put(self, key: str, file: BinaryIO, digest: Digest) -> None:
        """See ``Vault.put``."""
        with self._told(), atomic_file(self._path(key)) as draft, draft.open("wb") as copy:
            file.seek(0)
            shutil.copyfileobj(file, copy, CHUNK)

    def get(self, key: str, file: BinaryIO, *, most: int) -> None:
        """See ``Vault.get``."""
        with self._told(), self._open(key) as source:
            if os.fstat(source.fileno()).st_size > most:
                raise too_large(self.name, key, most)
            shutil.copyfileobj(source, file, CHUNK)

    def head(self, key: str) -> Digest | None:
        """See ``Vault.head``; the file is read, so that what is told is what lies on the disk."""
        try:
            with self._told(), self._open(key) as source:
                return digest_of(source)
        except Absent:
            return None

    def list(self, folder: str) -> Iterator[str]:
        """See ``Vault.list``; drafts of writers are left out."""
        with self._told():
            try:
                entries = sorted(self._path(folder).iterdir())
            except FileNotFoundError:
                entries = []
        yield from (f"{path.name}/" if path.is_dir() else path.name for path in entries if path.name[0] != ".")

    def delete(self, key: str) -> None:
        """See ``Vault.delete``."""
        with self._told(), suppress(FileNotFoundError):
            self._path(key).unlink()

    def _path(self, key: str) -> Path:
        return self.folder / checked(key)

    def _open(self, key: str) -> BinaryIO:
        try:  # whoever else can write there may have put a link or a pipe into its place
            file = os.fdopen(os.open(self._path(key), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb")
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise Absent(f"{self.name} holds no {key}") from None
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            file.close()
            raise Absent(f"{self.name} holds no {key}")
        return file

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise VaultError(f"the vault {self.name} fails ({error.strerror or error}); mend it or name another") from (
                error
            )
