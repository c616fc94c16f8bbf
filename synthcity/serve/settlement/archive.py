"""Old lines of a ledger, put away compressed: what was settled long ago decides nothing any more.

::

    archive/answers-<day>-<n>.jsonl.gz   the lines as they were
    archive/scores-<day>-<n>.jsonl.gz
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from synthcity.durations import DAY
from synthcity.errors import RunError
from synthcity.files import PRIVATE, atomic_file, make_folder
from synthcity.lines import LineWriter
from synthcity.market.times import format_time
from synthcity.serve.answering.answer_ledger import ANSWERS, SCORES

ARCHIVE = "archive"
KEPT_SECONDS = 45 * DAY
"""After its end; a race between bundles is looked at for 32 days, an average for ten."""

_SPARE_SECONDS = 7 * DAY  # a ledger is gone through once a week at most


def archive(folder: Path, now: float) -> int:
    """Put away settled answers whose prompts ended more than 45 days before ``now``; return how many.

    What has no score yet stays, and so does a line that cannot be read. Nobody may answer meanwhile: whoever holds the
    files open would go on writing to the old ones. A kill in between loses nothing.

    Raises:
        RunError: the ledger cannot be read or written, or somebody settles.
    """
    if not (folder / SCORES).exists() or not (folder / ANSWERS).exists():
        return 0
    limit = now - KEPT_SECONDS
    with LineWriter(folder / SCORES, exclusive=True), LineWriter(folder / ANSWERS, exclusive=True):
        try:
            old = _settled_before(folder / SCORES, limit)
            if not old:
                return 0
            day = format_time(int(now))[:10]
            # answers first: a score without its answer is harmless, an answer without its score would be settled again
            _put_away(folder, ANSWERS, day, lambda event: event.get("id") in old)
            _put_away(folder, SCORES, day, lambda event: event.get("answer") in old)
        except OSError as error:
            raise RunError(f"cannot put old lines of {folder} away ({error.strerror or error}); make room") from error
    return len(old)


def _settled_before(path: Path, limit: float) -> set[str]:
    """Answers whose prompts ended before ``limit``; none while the oldest of them did so only lately."""
    found: dict[str, float] = {}
    with path.open("rb") as file:
        for line in file:
            event = _parse(line)
            end, answer = event.get("start_time", limit) + event.get("time_length", 0), event.get("answer")
            if isinstance(answer, str) and end < limit:
                found[answer] = end
    return set(found) if found and min(found.values()) < limit - _SPARE_SECONDS else set()


def _put_away(folder: Path, name: str, day: str, is_old: Callable[[dict[str, Any]], bool]) -> None:
    path, target = folder / name, _free(folder / ARCHIVE, Path(name).stem, day)
    make_folder(target.parent)
    with (
        path.open("rb") as file,
        atomic_file(path, mode=PRIVATE) as draft,
        atomic_file(target, mode=PRIVATE) as away,  # in its place before the ledger's own file changes
        draft.open("wb") as kept,
        gzip.open(away, "wb") as old,
    ):
        for line in file:
            (old if is_old(_parse(line)) else kept).write(line)


def _free(folder: Path, stem: str, day: str) -> Path:
    number = 1
    while (path := folder / f"{stem}-{day}-{number}.jsonl.gz").exists():
        number += 1
    return path


def _parse(line: bytes) -> dict[str, Any]:
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return event if isinstance(event, dict) else {}
