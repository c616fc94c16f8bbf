"""The seal of a finished run: what its files and its journal were when the report was written.

A seal tells edits and damage. Whoever owns a folder can make a new one, so nobody who has to rely on a run stops here:
a verdict is judged again from the scores, and scores are computed again from the bundle (``publish.gate``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from synthcity.errors import RunError
from synthcity.forecast.evaluation.samples import SAMPLES
from synthcity.search.finals.final import DIAGNOSTICS, TEST_SCORES, WINNER
from synthcity.search.journal.events import Event
from synthcity.search.journal.recorder import Recorder
from synthcity.search.journal.surroundings import Sealed
from synthcity.search.report.model import Report
from synthcity.search.report.saving import REPORT_JSON, read_report

_RESULTS = (TEST_SCORES, DIAGNOSTICS)


def seal(recorder: Recorder, folder: Path) -> None:
    """Tell what the run's files are, unless that is told already.

    A report that was lost is written and sealed again; what it is made from must be as it was.

    Raises:
        RunError: the winner, or what the look saw, is not what was sealed before.
    """
    files, before = hashes(folder), recorder.last(Sealed)
    if before is not None:
        if before["files"] == files:
            return
        lasting = {name for name in {*files, *before["files"]} if name in _RESULTS or name.startswith(f"{WINNER}/")}
        for name in sorted(lasting):
            if before["files"].get(name) != files.get(name):
                raise RunError(f"{folder / name} is not what it was when the run was finished; put it back")
    recorder.emit("sealed", files=files, journal=digest(recorder.events))


def hashes(folder: Path) -> dict[str, str]:
    """Return the sha256 of every file that a verdict rests on, by its path in the run folder.

    Raises:
        RunError: one cannot be read.
    """
    paths = [folder / name for name in (REPORT_JSON, *_RESULTS, SAMPLES)]
    try:
        paths = [path for path in paths if path.exists()]
        paths += sorted(path for path in (folder / WINNER).rglob("*") if path.is_file())
        return {path.relative_to(folder).as_posix(): _sha256(path) for path in paths}
    except OSError as error:
        raise RunError(f"cannot read {error.filename}: {error.strerror}; put it back") from error


def read_sealed(folder: Path, events: Sequence[Event]) -> Report:
    """Read the report of a run, which is as it was sealed, if it was.

    Raises:
        RunError: it is missing, damaged or of another version, or was edited.
    """
    report, found = read_report(folder), sealed(events)
    try:
        is_other = found is not None and _sha256(folder / REPORT_JSON) != found[0]["files"].get(REPORT_JSON)
    except OSError as error:
        raise RunError(f"cannot read {str(folder / REPORT_JSON)!r}: {error.strerror}") from error
    if is_other:
        raise RunError(f"{str(folder / REPORT_JSON)!r} is not what was sealed: it was edited or damaged")
    return report


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def digest(events: Sequence[Event]) -> str:
    """Return one hash of ``events`` in their order."""
    lines = (json.dumps(event, sort_keys=True, separators=(",", ":")) for event in events)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def sealed(events: Sequence[Event]) -> tuple[Sealed, int] | None:
    """Return the seal that holds and its place among ``events``; None where the run is not over, or is older."""
    for at in range(len(events) - 1, -1, -1):
        event = events[at]
        if event["kind"] == "sealed":
            return event, at
        if event["kind"] in ("run_extended", "contenders"):
            return None
    return None
