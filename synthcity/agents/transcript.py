"""``llm.jsonl``: every exchange with a language model, one JSON object a line, appended and fsynced.

A ``request`` line is written before anything is sent, with the worst that it may cost, and a ``reply`` or
``failure`` line after. So a process that is killed in between leaves a trace of what it may have spent, and a run
that goes on begins with the money that its earlier parts have spent. ``models`` lines hold the price list, and
``gave_up`` lines say why a question got no answer at all. Secrets are taken out before a line gets here.
"""

from __future__ import annotations

import json
import os
import threading
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from synthcity.agents.messages import Spend
from synthcity.errors import RunError

NAME = "llm.jsonl"
Event = dict[str, Any]


class Lines:
    """An append-only file of JSON objects; the torn last line of a killed process is cut off."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._whole = False  # whether the file is known to end with a whole line
        self._lock = threading.Lock()

    def read(self) -> list[Event]:
        """Return all whole lines; none where there is no file.

        Raises:
            RunError: the file cannot be read, or a line in it is damaged.
        """
        try:
            data = self.path.read_bytes() if self.path.exists() else b""
        except OSError as error:
            raise RunError(f"cannot read {self.path}: {error.strerror or error}") from error
        lines = data[: data.rfind(b"\n") + 1].splitlines()
        return [self._parse(number, line) for number, line in enumerate(lines, start=1)]

    def append(self, event: Mapping[str, Any]) -> None:
        """Write one line and return once it is on the disk.

        Raises:
            RunError: the disk is full or gone.
        """
        line = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        try:
            with self._lock:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                with open(self.path, "a+b", buffering=0) as file:
                    if not self._whole:
                        self._cut_torn(file.fileno())
                        self._whole = True
                    size = os.fstat(file.fileno()).st_size
                    if file.write(line) != len(line):  # a raw write stops short when the disk fills up
                        file.truncate(size)
                        raise OSError("no space left on the device")
                    os.fsync(file.fileno())
        except OSError as error:
            raise RunError(f"cannot write {self.path}: {error.strerror or error}") from error

    def _cut_torn(self, file: int) -> None:
        data = self.path.read_bytes()
        os.ftruncate(file, data.rfind(b"\n") + 1)

    def _parse(self, number: int, line: bytes) -> Event:
        try:
            event = json.loads(line)
        except ValueError:
            event = None
        if not isinstance(event, dict):
            raise RunError(f"{self.path} is damaged at line {number}; repair it or start a new run under another name")
        return event

    def __reduce__(self) -> tuple[object, ...]:
        return Lines, (self.path,)


def spent(events: list[Event]) -> dict[str, Spend]:
    """Add up what each account spent; a request whose outcome nobody wrote down counts at its worst.

    Raises:
        KeyError, TypeError: an event is not one of ours.
    """
    accounts: dict[str, Spend] = defaultdict(Spend)
    open_requests: dict[tuple[int, int], tuple[str, Spend]] = {}
    for event in events:
        if event.get("kind") == "request":
            worst = Spend(**event["worst"])
            open_requests[event["call"], event["attempt"]] = (event["account"], worst)
        elif event.get("kind") in ("reply", "failure"):
            open_requests.pop((event["call"], event.get("attempt", 0)), None)
            accounts[event["account"]] += Spend(**event["spend"])
    for account, worst in open_requests.values():
        accounts[account] += worst
    return dict(accounts)
