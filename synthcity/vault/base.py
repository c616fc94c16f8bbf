"""What a vault offers: objects by key, written once and then only read."""

from __future__ import annotations

import hashlib
import io
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from synthcity.errors import VaultError

CHUNK = 1 << 20  # bytes that are read at a time
_ATTEMPTS = 3
_LOOKS = (0.0, 0.5, 1.0, 2.0, 4.0)  # seconds before each look for what was written: it may come late


class Absent(VaultError):
    """The vault holds nothing under this key."""


class TooLarge(VaultError):
    """An object has more bytes than it may have; it is left alone."""


@dataclass(frozen=True)
class Digest:
    """What tells whether two contents are the same: their bytes, and their SHA-256 in hexadecimal."""

    size: int
    sha256: str


def digest_of(file: BinaryIO) -> Digest:
    """Read ``file`` from its beginning to its end and leave it at its beginning."""
    found, size = hashlib.sha256(), 0
    file.seek(0)
    while chunk := file.read(CHUNK):
        found.update(chunk)
        size += len(chunk)
    file.seek(0)
    return Digest(size, found.hexdigest())


class Vault(ABC):
    """Objects under keys of ``A-Za-z0-9._=-`` between slashes, see ``layout``. Usable from several threads.

    Every method raises VaultError where the vault does not answer or refuses; the text names it and the remedy.
    """

    @property
    @abstractmethod
    def name(self) -> str:
        """What it is called in sentences and in the outbox, e.g. ``s3://bucket/prefix``; it holds no secret."""

    @abstractmethod
    def check(self) -> None:
        """Find out whether it can be read and written; nothing stays behind."""

    @abstractmethod
    def put(self, key: str, file: BinaryIO, digest: Digest) -> None:
        """Write an object, all of it or nothing, from ``file``, whose content ``digest`` is."""

    @abstractmethod
    def get(self, key: str, file: BinaryIO, *, most: int) -> None:
        """Write the content of an object to ``file``.

        Raises:
            Absent: there is none.
            TooLarge: it has more than ``most`` bytes, of which none is fetched.
        """

    @abstractmethod
    def head(self, key: str) -> Digest | None:
        """Return what is stored under ``key``; None where nothing is."""

    @abstractmethod
    def list(self, folder: str) -> Iterator[str]:
        """Yield in order the names directly below ``folder``, those of folders with a slash at their end."""

    @abstractmethod
    def delete(self, key: str) -> None:
        """Remove an object; one that is not there is no error."""

    def read(self, key: str, *, most: int) -> bytes:
        """Return the content of an object; raises as :meth:`get`."""
        file = io.BytesIO()
        self.get(key, file, most=most)
        return file.getvalue()

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("a vault may hold keys, so it is never pickled; open it where it is needed")


def write_whole(
    vault: Vault, key: str, file: BinaryIO, digest: Digest, *, sleep: Callable[[float], None] = time.sleep
) -> None:
    """Put an object and see that it is there as it was sent.

    Raises:
        VaultError: it is not, after some attempts.
    """
    seen: Digest | None = None
    for _ in range(_ATTEMPTS):
        vault.put(key, file, digest)
        for pause in _LOOKS:
            if pause:
                sleep(pause)
            if (seen := vault.head(key)) is not None:
                break
        if seen == digest:
            return
    found = "nothing" if seen is None else f"{seen.size:,} other bytes"
    raise VaultError(f"{vault.name} took {key} and holds {found} there; push again later, nothing else names it")


def too_large(name: str, key: str, most: int) -> TooLarge:
    """Return the refusal of an object that is larger than it may be."""
    return TooLarge(f"{key} in {name} has more than the {most:,} bytes that it may have; it is left alone")
