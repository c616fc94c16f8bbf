"""A run that is over, or was left, told to trackers from its folder alone; what was told is remembered there."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from synthcity.errors import RunError, TrackerError
from synthcity.lines import append_line, read_lines
from synthcity.search.journal.events import Event
from synthcity.search.journal.folder import read_run
from synthcity.search.report.saving import REPORT_JSON, read_report
from synthcity.search.tracking.feed import Feed
from synthcity.search.tracking.records import of_report, told
from synthcity.search.tracking.sinks.sink import EndTold, Record
from synthcity.search.tracking.trackers import check_trackers, environ_of
from synthcity.settings import Settings

TRACKED = "tracked.jsonl"


@dataclass(frozen=True, kw_only=True)
class Tracked:
    """Where a tracker keeps a run; ``notes`` is what a person must know, ``is_new`` whether it was told just now."""

    tracker: str
    where: str
    notes: tuple[str, ...] = ()
    is_new: bool = True


def replay(folder: Path, trackers: Sequence[str], settings: Settings | None = None) -> list[Tracked]:
    """Tell a run to trackers, each from the first event to the result; what one has whole is not told it again.

    Args:
        folder: the run's.
        trackers: some of ``TRACKERS``.
        settings: project and keys; by default those of the environment.

    Raises:
        ConfigError: a tracker is unknown or not installed.
        RunError: the folder holds no run, or a damaged one.
        TrackerError: one failed or hung; those before it have the run.
    """
    check_trackers(trackers)
    _, events = read_run(folder)
    end = of_report(read_report(folder)) if (folder / REPORT_JSON).exists() else EndTold(what="end", values={})
    if not any(event["kind"] in ("run_started", "run_resumed") for event in events):
        raise RunError(f"the run in {str(folder)!r} never began, so there is nothing to track")
    settings = Settings.load() if settings is None else settings
    return [_tell(name, folder.resolve(), events, end, settings) for name in trackers]


def _tell(name: str, folder: Path, events: Sequence[Event], end: EndTold, settings: Settings) -> Tracked:
    fingerprint = _fingerprint(events)
    before = next((line for line in _known(folder) if (line["tracker"], line["run"]) == (name, fingerprint)), None)
    if before is not None:
        return Tracked(tracker=name, where=str(before["where"]), is_new=False)
    records: Iterable[Record] = chain(told(events, folder, settings.project), [end])
    feed = Feed(name, environ_of(name, settings), records)
    notes = feed.close()
    if not feed.where:
        raise TrackerError(" ".join(notes))
    append_line(folder / TRACKED, {"tracker": name, "run": fingerprint, "where": feed.where, "time": time.time()})
    return Tracked(tracker=name, where=feed.where, notes=tuple(notes))


def _known(folder: Path) -> Sequence[dict[str, object]]:
    lines = read_lines(folder / TRACKED).events
    return [line for line in lines if {"tracker", "run", "where"} <= line.keys()]


def _fingerprint(events: Sequence[Event]) -> str:
    """Of what a tracker is told: a run that went on is another one, one that was published since is not."""
    lasting = [f"{event['kind']} {event['time']}" for event in events if event["kind"] not in ("published", "sealed")]
    return hashlib.sha256("\n".join(lasting).encode()).hexdigest()[:16]
