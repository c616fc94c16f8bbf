"""What reaches the disk, and what the journal tells, in one order."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from synthcity.search.journal.recorder import Recorder


def recorded(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that gets the path of whatever is synced from now on, and the kind of each event before it is."""
    told: list[str] = []
    fsync, emit = os.fsync, recorder.emit

    def synced(handle: int) -> None:
        told.append(os.readlink(f"/proc/self/fd/{handle}"))
        fsync(handle)

    def emitted(kind: str, /, **fields: Any) -> None:
        told.append(kind)
        emit(kind, **fields)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(recorder, "emit", emitted)
    return told


def assert_before(told: list[str], kind: str, *paths: Path) -> None:
    """Hold that ``paths`` were synced in this order before an event of ``kind`` was told for the first time."""
    before = told[: told.index(kind)]
    places = [max((k for k, each in enumerate(before) if each == str(path)), default=-1) for path in paths]
    assert -1 not in places, (paths, before)
    assert places == sorted(places), before
