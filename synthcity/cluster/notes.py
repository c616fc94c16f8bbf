"""What is known of machines that are to be nodes: a sentence each, for whoever asks how the cluster is."""

from __future__ import annotations

import contextlib
import json
import logging
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from synthcity import strict_json
from synthcity.cluster.folder import Folder
from synthcity.cluster.joining.transport import Reached
from synthcity.files import atomic_write

_MOST_KEPT = 20  # of machines that failed
_LONGEST = 500  # characters of a sentence
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Note:
    """Attributes:
    name, kind: of the machine.
    state: ``starting``, ``joined``, ``lost`` while its connection is made again, or ``failed``.
    text: what it does or why it failed, in a sentence.
    since: seconds since 1970.
    """

    name: str
    kind: str
    state: str
    text: str
    since: float


class Notes:
    """The notes of a cluster, in its folder; whatever is new is also a line of ``nodes.log``."""

    def __init__(self, folder: Folder) -> None:
        self._root = folder.path / "machines"
        self._root.mkdir(exist_ok=True)
        self._log = folder.path / "nodes.log"

    def tell(self, machine: Reached, state: str, text: str) -> None:
        """Note what is new of a machine; a full disk harms none, and is tried again with what comes next."""
        text = plain(text)
        before = read_note(self._path(machine.name))
        if before is not None and (before.state, before.text) == (state, text):
            return
        note = Note(name=machine.name, kind=machine.kind, state=state, text=text, since=time.time())
        moment = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(note.since))
        try:
            atomic_write(self._path(machine.name), json.dumps(asdict(note)))
            with self._log.open("a", encoding="utf-8") as log:
                log.write(f"{moment} machine {machine.name}: {state}: {text}\n")
        except OSError as error:
            _logger.warning("machine %s is %s (%s), which cannot be written: %s", machine.name, state, text, error)

    def close(self, machine: Reached, *, keep: bool) -> None:
        """Forget a machine; of those that failed the last are kept."""
        failed = [note.name for note in notes(self._root.parent) if note.state == "failed"]
        for name in [*([] if keep else [machine.name]), *failed[:-_MOST_KEPT]]:
            with contextlib.suppress(OSError):  # gone, or the disk is
                self._path(name).unlink()

    def _path(self, name: str) -> Path:
        return self._root / f"{name}.json"


def plain(text: str) -> str:
    """Return what a machine said as one line that a terminal and a log may have: nothing of it moves a cursor."""
    return "".join(one if one.isprintable() else " " for one in text[:_LONGEST])


def notes(folder: Path) -> list[Note]:
    """Return what is noted in a cluster's folder, the newest last."""
    found = [note for path in (folder / "machines").glob("*.json") if (note := read_note(path)) is not None]
    return sorted(found, key=lambda note: note.since)


def read_note(path: Path) -> Note | None:
    """Return a note; None where there is none."""
    with contextlib.suppress(OSError, ValueError, TypeError):
        return Note(**strict_json.loads(path.read_text(encoding="utf-8")))
    return None
