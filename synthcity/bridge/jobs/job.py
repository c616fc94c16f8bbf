"""One job: what was asked for, and how it stands by its own files, whoever looks and whenever."""

from __future__ import annotations

import fcntl
import json
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from synthcity.errors import ConfigError, RunError
from synthcity.files import PRIVATE, atomic_write
from synthcity.history.local import JOURNAL
from synthcity.schema import build, plain

RECORD, ENDED, OUTPUT, LOCK, STOP, CHILD = "job.json", "ended.json", "output.txt", "lock", "stop", "child"
PIPELINE = "pipeline"
_STOPPED = (130, 143, -2, -15)  # exit codes of what was interrupted
_LAST_BYTES = 8192  # of the output, in which the error is looked for


class State(StrEnum):
    """How a job stands; ``LOST`` is one whose processes were killed before they could tell."""

    RUNNING = "running"
    STOPPING = "stopping"
    COMPLETED = "completed"
    STOPPED = "stopped"
    FAILED = "failed"
    LOST = "lost"


@dataclass(frozen=True, kw_only=True)
class Job:
    """What was asked for.

    Attributes:
        id: which is also the name of its folder.
        bot: who asked.
        action: name of the operation.
        asked: the request in one canonical text.
        arguments: of the command ``synthcity``.
        run: its run folder.
        created_at: unix seconds.
        secrets: beginnings of the variables with secrets that the command is given.
    """

    id: str
    bot: str
    action: str
    asked: str
    arguments: tuple[str, ...]
    run: str
    created_at: float
    secrets: tuple[str, ...] = ()

    @property
    def journal(self) -> Path:
        """Where its run tells what happens."""
        return Path(self.run) / ("pipeline.jsonl" if self.action == PIPELINE else JOURNAL)

    def write(self, folder: Path) -> None:
        """Write its record.

        Raises:
            RunError: the folder cannot be written.
        """
        try:
            atomic_write(folder / RECORD, json.dumps(plain(self)), mode=PRIVATE)
        except OSError as error:
            raise RunError(f"cannot write {str(folder)!r}: {error.strerror or error}") from error


def read_job(folder: Path) -> Job:
    """Read a job's record.

    Raises:
        RunError: there is none, or it is damaged.
    """
    try:
        return build(Job, json.loads((folder / RECORD).read_bytes()), where=RECORD)
    except (OSError, ValueError, RecursionError, ConfigError) as error:
        raise RunError(f"cannot read the job in {str(folder)!r}: {error}") from error


def is_alive(folder: Path) -> bool:
    """Whether any process of the job lives: each of them holds its lock, and lets go of it however it ends."""
    try:
        with (folder / LOCK).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def exit_code(folder: Path) -> int | None:
    """Return what the job's command ended with; None where nobody could tell."""
    try:
        return int(json.loads((folder / ENDED).read_bytes())["code"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def state(folder: Path) -> State:
    """Tell how a job stands."""
    is_asked_to_stop = (folder / STOP).exists()
    if is_alive(folder):
        return State.STOPPING if is_asked_to_stop else State.RUNNING
    code = exit_code(folder)
    if code is None:
        return State.STOPPED if is_asked_to_stop else State.LOST
    if code == 0:
        return State.COMPLETED
    return State.STOPPED if code in _STOPPED or is_asked_to_stop else State.FAILED


def last_error(folder: Path) -> str:
    """Return the sentence that the command ended with, else its last line; "" where it said nothing."""
    lines = [line for line in tail_of(folder / OUTPUT, _LAST_BYTES).splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith(("error: ", "Error: "))]
    return (errors or lines or [""])[-1].partition("rror: ")[2] if errors else (lines or [""])[-1]


def tail_of(path: Path, most: int) -> str:
    """Return the last so many bytes of a text that may be missing."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - most))
            return file.read(most).decode("utf-8", "replace")
    except OSError:
        return ""
