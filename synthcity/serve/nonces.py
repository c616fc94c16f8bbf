"""The last nonce of every caller, on disk: a captured request is worth nothing, not even after a restart.

One SQLite file serves all replicas of a machine, so a request taken by one of them is refused by the others.
"""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

from synthcity.errors import RunError

KEPT_NS = 3600 * 10**9
"""Nonces older than this are dropped: the window of admission is a few minutes, so they are refused as old anyway."""

_TABLE = """CREATE TABLE IF NOT EXISTS nonces (
    caller TEXT, uuid TEXT, nonce INTEGER NOT NULL, PRIMARY KEY (caller, uuid)) WITHOUT ROWID"""
_RAISE = """INSERT INTO nonces VALUES (?, ?, ?)
    ON CONFLICT (caller, uuid) DO UPDATE SET nonce = excluded.nonce WHERE excluded.nonce > nonce"""


class Nonces:
    """Highest nonce by caller and uuid. Use from any thread."""

    def __init__(self, path: Path | str) -> None:
        """Open or create the file.

        Raises:
            RunError: it cannot be written or is no such file.
        """
        self._path = Path(path)
        self._lock = threading.Lock()
        self._dropped_at = 0
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = sqlite3.connect(path, timeout=5.0, isolation_level=None, check_same_thread=False)
            # a power cut may lose the last transactions, the end of a process none; no write waits for the disk
            self._file.execute("PRAGMA journal_mode = WAL")
            self._file.execute("PRAGMA synchronous = NORMAL")
            self._file.execute(_TABLE)
        except (sqlite3.Error, OSError) as error:
            raise RunError(f"cannot keep nonces in {path} ({error}); choose another folder, or remove it") from error

    def raise_to(self, caller: str, uuid: str, nonce_ns: int) -> bool:
        """Remember a nonce; False if it is not above the last one of this caller and uuid, and so a repetition.

        Raises:
            RunError: the disk refuses; whoever cannot remember must not admit.
        """
        try:
            with self._lock:
                self._drop_old(nonce_ns)
                return self._file.execute(_RAISE, (caller, uuid, nonce_ns)).rowcount > 0
        except sqlite3.Error as error:
            raise RunError(f"cannot remember a nonce in {self._path} ({error})") from error

    def close(self) -> None:
        """Give the file back."""
        self._file.close()

    def _drop_old(self, now_ns: int) -> None:
        if now_ns - self._dropped_at > KEPT_NS:
            self._file.execute("DELETE FROM nonces WHERE nonce < ?", (now_ns - KEPT_NS,))
            self._dropped_at = now_ns
