"""What a vault is still owed: a file of lines that outlives kills, full disks and vaults that are away.

A row is written before anything is sent, and another once the index is there; what has the first alone is owed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from synthcity.errors import DataError, SynthcityError
from synthcity.lines import Event, append_line, read_records
from synthcity.vault.base import Vault
from synthcity.vault.entry import Entry
from synthcity.vault.facts import NothingToPush
from synthcity.vault.layout import identified, identity_of, new_id
from synthcity.vault.pushing import Tell, ignore, parcel, send

OUTBOX = "outbox.jsonl"


@dataclass(frozen=True, kw_only=True)
class Owed:
    """A folder that ``vault`` (its name) is to get; ``id`` is that of a push that may have begun, or empty.

    ``reason`` says why it did not get it, empty where that is not known: the process was killed.
    """

    event: Literal["owed", "sent"] = "owed"
    vault: str
    folder: str
    id: str = ""
    reason: str = ""
    time: float


_ROW = TypeAdapter(Owed)


@dataclass(frozen=True, kw_only=True)
class Sent:
    """What became of one thing owed: its index, or why it stays."""

    owed: Owed
    entry: Entry | None = None
    reason: str = ""


class Outbox:
    """The outbox at ``path``; any number of processes may use it at once."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def owed(self, vault: str | None = None) -> list[Owed]:
        """Return what is owed, to all vaults or to one, the oldest first.

        Raises:
            RunError: the file cannot be read.
        """
        rows, _ = read_records(self.path, _parse)  # a damaged row costs itself: a run can be pushed by hand
        left: dict[tuple[str, str], Owed] = {}
        for row in rows:
            before = left.pop((row.vault, row.folder), None)
            if row.event == "owed":
                left[row.vault, row.folder] = row if row.id or before is None else _with_id(row, before.id)
        return [row for row in left.values() if vault in (None, row.vault)]

    def owe(self, vault: str, folder: Path, *, id: str = "", reason: str = "") -> None:
        """Note that ``vault`` is to get ``folder``.

        Raises:
            RunError: the disk refuses.
        """
        self._append("owed", vault, folder, id, reason)

    def settle(self, vault: str, folder: Path, *, id: str) -> None:
        """Note that it has it; raises as ``owe``."""
        self._append("sent", vault, folder, id, "")

    def deliver(self, vault: Vault, folder: Path, tell: Tell = ignore) -> Entry:
        """Push a folder, noted before and after; ``tell`` as in ``send``.

        Raises:
            SynthcityError: it cannot be sent now; unless it is nothing that can be, it stays in the outbox.
        """
        folder = folder.resolve()
        found = parcel(folder)
        begun = next((row.id for row in self.owed(vault.name) if row.folder == str(folder)), "")
        at = begun if identity_of(begun) == identified(found.identity) else new_id(found.identity)
        self.owe(vault.name, folder, id=at)
        try:
            entry = send(vault, found, at=at, tell=tell)
        except SynthcityError as error:
            self.owe(vault.name, folder, id=at, reason=str(error))
            raise
        self.settle(vault.name, folder, id=entry.id)
        return entry

    def flush(self, open_vault: Callable[[str], Vault], vault: str | None = None) -> Iterator[Sent]:
        """Send what is owed, to all vaults or to one; where there is nothing to send any more, that is told once.

        Args:
            open_vault: opens a vault by its name.
        """
        for row in self.owed(vault):
            try:
                yield Sent(owed=row, entry=self.deliver(open_vault(row.vault), Path(row.folder)))
            except NothingToPush as error:
                if Path(row.folder).parent.is_dir():  # else a disk is not mounted
                    self.settle(row.vault, Path(row.folder), id="")
                yield Sent(owed=row, reason=str(error))
            except SynthcityError as error:
                yield Sent(owed=row, reason=str(error))

    def _append(self, event: Literal["owed", "sent"], vault: str, folder: Path, id: str, reason: str) -> None:
        row = Owed(event=event, vault=vault, folder=str(folder), id=id, reason=reason, time=round(time.time(), 3))
        append_line(self.path, asdict(row))


def _parse(event: Event) -> Owed:
    try:
        return _ROW.validate_python(event)
    except ValidationError as error:
        raise DataError(f"no row of an outbox: {error.errors(include_url=False)[0]['msg']}") from error


def _with_id(row: Owed, id: str) -> Owed:
    return Owed(vault=row.vault, folder=row.folder, id=id, reason=row.reason, time=row.time)
