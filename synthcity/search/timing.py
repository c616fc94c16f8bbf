"""Where the time of a run went, read from its events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def utilisation(events: Iterable[Mapping[str, Any]], workers: int) -> float | None:
    """Return busy seconds over worker seconds between first trial and last, over all sessions of a run.

    Busy is what the trainers report as training and validation; a rung whose report never arrived counts as idle.
    None where no trial was started.
    """
    busy = span = 0.0
    first: float | None = None
    last = 0.0
    for event in events:
        kind, now = event["kind"], float(event["time"])
        if kind in ("run_started", "run_resumed"):
            span += 0.0 if first is None else last - first
            first = None
        elif kind == "trial_started" and first is None:
            first = last = now
        elif kind in ("rung", "trial_finished", "checkpoint") and first is not None:
            last = now
        if kind == "rung":
            busy += float(event["train_seconds"]) + float(event["validation_seconds"])
    span += 0.0 if first is None else last - first
    return busy / (span * workers) if span > 0 else None


def used_seconds(events: Iterable[Mapping[str, Any]]) -> float:
    """Return the time that earlier sessions of a run took, from start to last sign of life each."""
    total = last = 0.0
    first: float | None = None
    for event in events:
        if event["kind"] in ("run_started", "run_resumed"):
            total += 0.0 if first is None else last - first
            first = float(event["time"])
        last = float(event["time"])
    return total + (0.0 if first is None else last - first)
