"""Jobs without their processes."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Any

from synthcity.bridge.jobs.job import LOCK, OUTPUT, Job


def job(**changes: Any) -> Job:
    told: dict[str, Any] = {"id": "0" * 12, "bot": "default", "action": "quick", "asked": "{}", "arguments": ("quick",)}
    return Job(**{**told, "run": "/nowhere/quick-000000000000", "created_at": 1_760_000_000.0, **changes})


class Launched:
    """Stands for the keeper: holds the locks of jobs until they are ended."""

    def __init__(self) -> None:
        self.locks: dict[str, int] = {}

    def __call__(self, folder: Path, job: Job) -> None:
        lock = os.open(folder / LOCK, os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        (folder / OUTPUT).touch()
        self.locks[job.id] = lock

    def end(self, id: str) -> None:
        os.close(self.locks.pop(id))

    def end_all(self) -> None:
        for id in list(self.locks):
            self.end(id)
