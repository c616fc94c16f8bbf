"""The last nonce of every caller, on disk: a captured request is worth nothing, not even after a restart.

One SQLite file serves all replicas of a machine, so a request taken by one of them is refused by the others. While the
disk refuses, each replica remembers for itself: a replay to another one, or after a restart, then costs us paths and
gains nobody anything, whereas an answer not given costs a score. ``problem`` says so.
"""

from __future__ import annotations

import logging
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


_LAST = "SELECT nonce FROM nonces WHERE caller = ? AND uuid = ?"
_log = logging.getLogger(__name__)


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
        self._memory: dict[tuple[str, str], int] = {}
        self.problem: str | None = None
        """What the disk refuses; None while it takes all."""
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
            RunError: the file cannot even be read; whoever cannot remember must not admit.
        """
        with self._lock:
            if nonce_ns <= self._memory.get((caller, uuid), -1):
                return False
            try:
                self._drop_old(nonce_ns)
                raised = self._file.execute(_RAISE, (caller, uuid, nonce_ns)).rowcount > 0
                self.problem = None
            except sqlite3.OperationalError as error:
                raised = self._raise_in_memory(caller, uuid, nonce_ns, str(error))
            except sqlite3.Error as error:
                raise RunError(f"cannot remember a nonce in {self._path} ({error})") from error
        return raised

    def _raise_in_memory(self, caller: str, uuid: str, nonce_ns: int, reason: str) -> bool:
        try:
            last = self._file.execute(_LAST, (caller, uuid)).fetchone()
        except sqlite3.Error as error:
            raise RunError(f"cannot remember a nonce in {self._path} ({error})") from error
        if last is not None and nonce_ns <= last[0]:
            return False
        if self.problem is None:
            _log.error("%s refuses nonces (%s); they are remembered in memory", self._path, reason)
        self.problem = f"{self._path} refuses nonces ({reason}); they are remembered in memory"
        self._memory = {key: nonce for key, nonce in self._memory.items() if nonce > nonce_ns - KEPT_NS}
        self._memory[caller, uuid] = nonce_ns
        return True

    def close(self) -> None:
        """Give the file back."""
        self._file.close()

    def _drop_old(self, now_ns: int) -> None:
        if now_ns - self._dropped_at > KEPT_NS:
            self._file.execute("DELETE FROM nonces WHERE nonce < ?", (now_ns - KEPT_NS,))
            self._dropped_at = now_ns
