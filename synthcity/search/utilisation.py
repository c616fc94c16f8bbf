"""Was Ray fed? The share of the workers' time that went into training and validation."""

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
