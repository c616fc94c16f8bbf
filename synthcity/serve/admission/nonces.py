"""The nonces of every caller, on disk: a captured request is worth nothing, not even after a restart.

One SQLite file serves all replicas of a machine, so a request taken by one of them is refused by the others. Who takes
a nonce holds it until the answer went out. A replica that was killed meanwhile holds it no longer: the next one may
take it, since a nonce is used up by an answer and not by a question that nobody answered.

While the disk refuses, each replica remembers for itself: a replay to another one, or after a restart, then costs us
paths and gains nobody anything, whereas an answer not given costs a score. ``problem`` says so.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from pathlib import Path

from synthcity.errors import RunError
from synthcity.serve.admission.presence import Presence, is_present
from synthcity.serve.admission.sparing import Sparing

KEPT_NS = 3600 * 10**9
"""Nonces older than this are dropped: the window of admission is a few minutes, so they are refused as old anyway."""

# ``holder`` is NULL once the answer went out
_TABLE = """CREATE TABLE IF NOT EXISTS taken (
    caller TEXT, uuid TEXT, nonce INTEGER, holder TEXT, PRIMARY KEY (caller, uuid, nonce)) WITHOUT ROWID"""
_TAKE = """INSERT INTO taken SELECT ?1, ?2, ?3, ?4
    WHERE NOT EXISTS (SELECT 1 FROM taken WHERE caller = ?1 AND uuid = ?2 AND nonce >= ?3)"""
_HOLDER = "SELECT holder FROM taken WHERE caller = ? AND uuid = ? AND nonce = ? AND holder IS NOT NULL"
_INHERIT = "UPDATE taken SET holder = ? WHERE caller = ? AND uuid = ? AND nonce = ? AND holder = ?"
_SPEND = "UPDATE taken SET holder = NULL WHERE caller = ? AND uuid = ? AND nonce = ?"
_LEAVE = "UPDATE taken SET holder = NULL WHERE holder = ?"
_LAST = "SELECT max(nonce) FROM taken WHERE caller = ? AND uuid = ?"
_log = logging.getLogger(__name__)


class Nonces:
    """Nonces by caller and uuid. Use from any thread."""

    def __init__(self, path: Path | str) -> None:
        """Open or create the file.

        Raises:
            RunError: it cannot be written or is no such file.
        """
        self._path = Path(path)
        self._holders = self._path.with_name(f"{self._path.name}-holders")
        self._lock = threading.Lock()
        self._log = Sparing(_log)
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
            self._presence = Presence(self._holders)
        except (sqlite3.Error, OSError) as error:
            raise RunError(f"cannot keep nonces in {path} ({error}); choose another folder, or remove it") from error

    def raise_to(self, caller: str, uuid: str, nonce_ns: int) -> bool:
        """Take and hold a nonce; False if it is not above the last one of this caller and uuid, and so a repetition.

        One that a replica held when it was killed may be taken again, once.

        Raises:
            RunError: the file cannot even be read; whoever cannot remember must not admit.
        """
        with self._lock:
            if nonce_ns <= self._memory.get((caller, uuid), -1):
                return False
            try:
                self._drop_old(nonce_ns)
                taken = self._file.execute(_TAKE, (caller, uuid, nonce_ns, self._presence.name)).rowcount > 0
                taken = taken or self._inherit(caller, uuid, nonce_ns)
                self.problem = None
            except sqlite3.OperationalError as error:
                taken = self._raise_in_memory(caller, uuid, nonce_ns, str(error))
            except (sqlite3.Error, OSError) as error:
                raise RunError(f"cannot remember a nonce in {self._path} ({error})") from error
        return taken

    def is_held_elsewhere(self, caller: str, uuid: str, nonce_ns: int) -> bool:
        """Whether another replica has this nonce and has not answered yet."""
        with self._lock:
            try:
                return self._holder(caller, uuid, nonce_ns) not in (None, self._presence.name)
            except sqlite3.Error:  # then it is a repetition like any other
                return False

    def spend(self, caller: str, uuid: str, nonce_ns: int) -> None:
        """The answer went out: nobody takes this nonce again."""
        with self._lock:
            try:
                self._file.execute(_SPEND, (caller, uuid, nonce_ns))
            except sqlite3.Error as error:  # held by us while we live, then an hour long worth one answer
                self._log.warning("%s does not note that a nonce is spent (%s)", self._path, error)

    def _inherit(self, caller: str, uuid: str, nonce_ns: int) -> bool:
        holder = self._holder(caller, uuid, nonce_ns)
        if holder is None or is_present(self._holders, holder):
            return False
        changed = self._file.execute(_INHERIT, (self._presence.name, caller, uuid, nonce_ns, holder))
        return changed.rowcount > 0

    def _holder(self, caller: str, uuid: str, nonce_ns: int) -> str | None:
        found = self._file.execute(_HOLDER, (caller, uuid, nonce_ns)).fetchone()
        return None if found is None else str(found[0])

    def _raise_in_memory(self, caller: str, uuid: str, nonce_ns: int, reason: str) -> bool:
        try:
            (last,) = self._file.execute(_LAST, (caller, uuid)).fetchone()
        except sqlite3.Error as error:
            raise RunError(f"cannot remember a nonce in {self._path} ({error})") from error
        if last is not None and nonce_ns <= last:
            return False
        if self.problem is None:
            self._log.error("%s refuses nonces (%s); they are remembered in memory", self._path, reason)
        self.problem = f"{self._path} refuses nonces ({reason}); they are remembered in memory"
        self._memory = {key: nonce for key, nonce in self._memory.items() if nonce > nonce_ns - KEPT_NS}
        self._memory[caller, uuid] = nonce_ns
        return True

    def close(self) -> None:
        """Give the file back. Whoever ends in order has answered: what it still holds is spent."""
        try:
            self._file.execute(_LEAVE, (self._presence.name,))
        except sqlite3.Error as error:
            _log.warning("%s does not note that nonces are spent (%s)", self._path, error)
        self._presence.close()
        self._file.close()

    def _drop_old(self, now_ns: int) -> None:
        if now_ns - self._dropped_at > KEPT_NS:
            self._file.execute("DELETE FROM taken WHERE nonce < ?", (now_ns - KEPT_NS,))
            self._dropped_at = now_ns
