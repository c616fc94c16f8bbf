"""A run pushed while it goes on, by a process that alone talks to the vault.

``python -m synthcity.vault.mirror FOLDER ADDRESS OUTBOX SECONDS`` pushes every so many seconds, and once more when its
standard input ends: because the search is over, was stopped, or was killed. It tells what it does in lines of JSON. A
vault that hangs costs the search nothing: it never waits but at its end, and then not for long.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from synthcity.errors import RunError, SynthcityError
from synthcity.private import without_secrets
from synthcity.vault.facts import NothingToPush
from synthcity.vault.opening import open_vault
from synthcity.vault.outbox import Outbox
from synthcity.vault.pushing import push_run

EVERY_SECONDS = 300.0
PATIENCE_SECONDS = 60.0
_KEYS = ("HIPPIUS_",)  # what the process needs of the environment's secrets


@dataclass(frozen=True, kw_only=True)
class Mirrored:
    """What came of it: the run lies under ``id`` in ``vault``, or is owed for this ``reason``."""

    vault: str
    id: str = ""
    reason: str = ""


class Mirror:
    """The process that pushes one run, and how it is told to come to an end."""

    def __init__(
        self, folder: Path, address: str, outbox: Path, tell: Callable[[str], None], *, every: float = EVERY_SECONDS
    ) -> None:
        """Begin.

        Args:
            folder: the run's, which may still be empty.
            address: of the vault.
            outbox: the file in which it stands that the vault is owed the run, until it has it.
            tell: takes a sentence, on a thread of its own, when the vault begins to fail.
            every: seconds between two pushes.

        Raises:
            ConfigError: see ``open_vault``; nothing was begun.
        """
        self._name, self._folder, self._tell = open_vault(address).name, folder.resolve(), tell
        self._id, self._reason, self._told = "", "the process that pushes it was lost", ""
        self._is_closing = False
        try:
            Outbox(outbox).owe(self._name, self._folder)
        except RunError as error:
            tell(f"the vault's outbox cannot be written: {error}")
        command = [sys.executable, "-m", "synthcity.vault.mirror", str(self._folder), address, str(outbox), str(every)]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=without_secrets(os.environ, needed=_KEYS),
            start_new_session=True,  # Ctrl-C is the search's; this process ends when that has ended
        )
        assert self._process.stdout is not None
        self._reader = threading.Thread(target=self._read, args=(self._process.stdout,), daemon=True)
        self._reader.start()

    def close(self, patience: float = PATIENCE_SECONDS) -> Mirrored:
        """Have the run pushed as it is now and return what came of it, after ``patience`` seconds at the latest."""
        self._is_closing = True  # from here on, what is told would come after the run's own last word
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(b"\n")  # whoever else may hold the pipe open
            self._process.stdin.close()
        try:
            self._process.wait(patience)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            self._reason = f"it did not take it within {patience:g} seconds"
        self._reader.join()
        if self._process.stdout is not None:
            self._process.stdout.close()
        return Mirrored(vault=self._name, id=self._id, reason="" if self._id else self._reason)

    def _read(self, lines: IO[bytes]) -> None:
        for line in lines:
            told = json.loads(line)
            self._id, self._reason = told["id"], told["reason"]
            if self._reason and self._reason != self._told and not self._is_closing:
                self._told = self._reason
                self._tell(f"the vault does not take the run, and the search goes on without it: {self._reason}")


def mirror(folder: Path, address: str, outbox: Outbox, every: float) -> None:
    """Push ``folder`` until standard input ends or says something, and then what else the vault is owed."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # which `ray job stop` sends to all: the search tells when to end
    vault = open_vault(address)
    try:
        vault.check()
    except SynthcityError as error:
        _say(reason=str(error))
    while not select.select([sys.stdin], [], [], every)[0]:
        try:
            push_run(vault, folder)
            _say()
        except NothingToPush:
            _say()  # nothing was begun yet
        except SynthcityError as error:
            _say(reason=str(error))
    try:
        _say(id=outbox.deliver(vault, folder).id)
    except NothingToPush as error:
        outbox.settle(vault.name, folder, id="")
        _say(reason=str(error))
    except SynthcityError as error:
        _say(reason=str(error))
        return
    for _ in outbox.flush(open_vault, vault.name):
        pass  # what stays is told by `synthcity vault flush`


def _say(*, id: str = "", reason: str = "") -> None:
    with contextlib.suppress(BrokenPipeError):  # the search was killed: nobody listens, and the push counts
        print(json.dumps({"id": id, "reason": reason}), flush=True)


if __name__ == "__main__":
    mirror(Path(sys.argv[1]), sys.argv[2], Outbox(Path(sys.argv[3])), float(sys.argv[4]))
