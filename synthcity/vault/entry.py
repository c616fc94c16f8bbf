"""The index of one push: what it is, in typed fields, and the hash of each of its files.

Whoever can write to a vault can write an index, so it is read as if a stranger had: bounded in size, held to its form,
and with paths that stay within the folder they are restored to.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from synthcity import strict_json
from synthcity.errors import ConfigError, VaultError
from synthcity.market.periods import Periods
from synthcity.schema import build, key, plain
from synthcity.vault.base import Digest
from synthcity.vault.layout import Kind, file_key, is_id

FORMAT = 1
MAX_INDEX = 8_000_000  # bytes; a store of a dozen assets over three years takes five million
MAX_FILE = 16 << 30
MAX_FILES = 100_000
# what runs, bundles and stores are made of; what Python would unpickle or load is none of it
SUFFIXES = frozenset({".csv", ".html", ".json", ".jsonl", ".parquet", ".safetensors", ".txt", ".yaml"})
_CODE = re.compile(r"(?:.+/)?(?:code|authored)/[^/]+\.py")  # text until somebody says that it is trusted
_SHA256 = re.compile("[0-9a-f]{64}")
_LONGEST_NAME = 255  # bytes, as file systems have it


class DamagedEntry(VaultError):
    """An index is none, is damaged, or was written by a later version."""


def takes(path: str) -> bool:
    """Whether a file of this name goes into a vault and comes out of it."""
    if not all(map(is_plain, path.split("/"))):
        return False
    try:
        file_key("bundle", "0" * 26, path)
    except ValueError:  # too long
        return False
    return PurePosixPath(path).suffix in SUFFIXES or _CODE.fullmatch(path) is not None


def _path(value: object) -> str:
    if not isinstance(value, str) or not takes(value):
        raise ValueError(f"a relative path to a file that ends in {', '.join(sorted(SUFFIXES))}")
    return value


def is_plain(name: str) -> bool:
    """Whether an index may have this for a name, or for a part of a path."""
    return (
        bool(name)
        and name[0] != "."
        and name.isprintable()
        and "\\" not in name
        and len(name.encode("utf-8", "replace")) <= _LONGEST_NAME
    )


def parse_name(value: object) -> str:
    if not isinstance(value, str) or "/" in value or not is_plain(value):
        raise ValueError("a plain name")
    return value


def _sha256(value: object) -> str:
    if not isinstance(value, str) or not _SHA256.fullmatch(value):
        raise ValueError("64 hexadecimal digits")
    return value


def parse_id(value: object) -> str:
    if not isinstance(value, str) or not is_id(value):
        raise ValueError("an id of 26 characters")
    return value


@dataclass(frozen=True, kw_only=True)
class StoredFile:
    """One file of an entry; ``entry`` is the earlier one that holds it where it had not changed."""

    path: str = key(parse=_path)
    size: int = key(low=0, high=MAX_FILE)
    sha256: str = key(parse=_sha256)
    entry: str | None = key(None, parse=parse_id)

    @property
    def digest(self) -> Digest:
        """Size and hash."""
        return Digest(self.size, self.sha256)


@dataclass(frozen=True, kw_only=True)
class Known:
    """Prices that a run, or one that it was told of, chose on: their source, and unix seconds."""

    source: str
    start: int
    end: int


@dataclass(frozen=True, kw_only=True)
class VerdictFacts:
    """What the test period said; the lead over the best baseline is in percent, minus is better."""

    sentence: str
    proven: bool
    winner: str
    winner_is_baseline: bool
    best_baseline: str
    lead: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, kw_only=True)
class RunFacts:
    """What an index tells of a run; times are unix seconds.

    Attributes:
        rules: the date of the competition's rules.
        source: "store" or "simulated".
        periods: train, validation and test.
        knows: all prices that it chose on, before it those of the runs it was told of.
        started, updated: its first and its last event.
        state: "finished" once its report is written.
        trials: candidates that were admitted.
        usd: what language models cost.
        verdict: None before the test period was looked at.
    """

    competition: str
    rules: str
    assets: tuple[str, ...] = ()
    source: str
    periods: Periods
    knows: tuple[Known, ...] = ()
    started: float
    updated: float
    state: Literal["finished", "unfinished"]
    trials: int = key(low=0)
    usd: float = key(0.0, low=0.0)
    verdict: VerdictFacts | None = None


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What one push brought: a run, a bundle or a price store (``kind``) under its ``name``.

    Attributes:
        format: of the index.
        id: see ``layout``.
        time: when it was pushed, unix seconds.
        code: the version of synthcity that pushed it.
        competition: what a run or a bundle is for; empty where that is not told.
        files: all of them, sorted by path.
        run: what else there is to tell of a run.
    """

    format: int = key(low=FORMAT, high=FORMAT)
    kind: Literal["run", "bundle", "prices"]
    id: str = key(parse=parse_id)
    name: str = key(parse=parse_name)
    time: float
    code: str
    competition: str = ""
    files: tuple[StoredFile, ...] = ()
    run: RunFacts | None = None

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)

    def key_of(self, file: StoredFile) -> str:
        """Return where the vault holds a file."""
        return file_key(self.kind, file.entry or self.id, file.path)

    def to_bytes(self) -> bytes:
        """Return the index as it is stored.

        Raises:
            ConfigError: it has too many files to be read again.
        """
        data = plain(self)
        data["files"] = [{k: v for k, v in file.items() if v is not None} for file in data["files"]]
        content = json.dumps(data, allow_nan=False, separators=(",", ":"), ensure_ascii=False).encode()
        if len(content) > MAX_INDEX or len(self.files) > MAX_FILES:
            raise ConfigError(
                f"{self.name!r} has {len(self.files):,} files, more than one index may name; push it in parts"
            )
        return content


def parse_entry(content: bytes, *, kind: Kind, id: str, where: str) -> Entry:
    """Read an index that lies under ``id``.

    Args:
        where: its key and vault, for the sentence of an error.

    Raises:
        DamagedEntry: it is none of this kind and id, is damaged, or is of a later version.
    """
    try:
        data = strict_json.loads(content)
        if isinstance(data, dict) and data.get("format") != FORMAT:
            raise DamagedEntry(f"{where} is of format {str(data.get('format'))[:20]!r}, this synthcity reads {FORMAT}")
        entry = build(Entry, data, where=where)
    except (ValueError, ConfigError) as error:
        raise DamagedEntry(f"{where} is no index: {error}") from error
    paths = [file.path for file in entry.files]
    if (entry.kind, entry.id) != (kind, id) or len(paths) > MAX_FILES or _clash(paths):
        raise DamagedEntry(f"{where} is no index: its kind, id or paths cannot be")
    if kind == "run" and entry.run is None:
        raise DamagedEntry(f"{where} is no index of a run: it tells nothing of it")
    for file in entry.files:
        try:
            entry.key_of(file)
        except ValueError as error:
            raise DamagedEntry(f"{where} is no index: {error}") from error
    return entry


def _clash(paths: list[str]) -> bool:
    """Whether two files would lie at one place, or one within another."""
    known = set(paths)
    return len(known) < len(paths) or any(
        str(above) in known for path in paths for above in PurePosixPath(path).parents
    )
