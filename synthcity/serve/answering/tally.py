"""What one replica has answered so far: its figures, and how it stands, for whoever watches."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce

import numpy as np

from synthcity.serve.answering.answer_ledger import Fallback
from synthcity.serve.answering.metrics import (
    ANSWERS,
    LATENCY,
    REFUSALS,
    Figures,
    Histogram,
    Key,
    Metric,
    bucket_of,
    key_of,
)


@dataclass(frozen=True, kw_only=True)
class Status:
    """How a replica, or all of them, stand.

    Attributes:
        figures: all that was counted.
        latencies: seconds of the last answers.
        last_answered_at: when a validator got its last answer, unix seconds; None before the first.
        bundle: hash of what is served.
        shadowed: prompts that a challenger answered in the shadow; ``shadow_failed`` of them it could not.
        problems: what is wrong, a sentence each.
        shut: why nobody reaches the replicas from outside; None if they are reached, or nobody tried.
    """

    replica: int
    figures: Figures = field(default_factory=Figures)
    latencies: tuple[float, ...] = ()
    last_answered_at: float | None = None
    bundle: str = ""
    shadowed: int = 0
    shadow_failed: int = 0
    problems: tuple[str, ...] = ()
    shut: str | None = None

    @property
    def answered(self) -> dict[str, int]:
        """Prompts answered, by asset."""
        return self.figures.by(ANSWERS, "asset")

    @property
    def fallbacks(self) -> dict[str, int]:
        """Those of them that the model did not answer."""
        by_model = self.figures.by(ANSWERS, "asset", fallback="none")
        return {asset: count - by_model.get(asset, 0) for asset, count in self.answered.items()}

    @property
    def foreign(self) -> dict[str, int]:
        """Those of the fallback's for which the model was not made."""
        return self.figures.by(ANSWERS, "asset", fallback=Fallback.FOREIGN)

    @property
    def refused(self) -> dict[str, int]:
        """Requests without an answer by asset, "" where the asset was not known yet."""
        return self.figures.by(REFUSALS, "asset")

    @property
    def latency(self) -> tuple[float, float] | None:
        """Median and worst of the last answers in seconds; None before the first."""
        return (float(np.median(self.latencies)), max(self.latencies)) if self.latencies else None

    def past(self) -> Status:
        """What stays true of a replica that is gone: its sums."""
        return replace(self, latencies=(), problems=(), bundle="")


class Tally:
    """Counts. Use from any thread."""

    def __init__(self, *, most_latencies: int = 200) -> None:
        self._lock = threading.Lock()
        self._counters: dict[Key, float] = {}
        self._counts: dict[Key, list[int]] = {}
        self._totals: dict[Key, float] = {}
        self._latencies: deque[float] = deque(maxlen=most_latencies)
        self._last_answered_at: float | None = None

    def record(self, metric: Metric, labels: Mapping[str, str], value: float = 1.0) -> None:
        """Add to a counter, or observe in a histogram."""
        key = key_of(metric, labels)
        with self._lock:
            if metric.buckets:
                self._counts.setdefault(key, [0] * (len(metric.buckets) + 1))[bucket_of(metric, value)] += 1
                self._totals[key] = self._totals.get(key, 0.0) + value
            else:
                self._counters[key] = self._counters.get(key, 0.0) + value
            if metric is LATENCY:
                self._latencies.append(value)

    def note_answer(self, at: float) -> None:
        """A validator got an answer, at unix seconds ``at``."""
        with self._lock:
            self._last_answered_at = max(at, self._last_answered_at or at)

    def figures(self) -> Figures:
        """All that was counted so far."""
        with self._lock:
            histograms = {
                key: Histogram(counts=tuple(counts), total=self._totals[key]) for key, counts in self._counts.items()
            }
            return Figures(counters=dict(self._counters), histograms=histograms)

    def status(self) -> Status:
        """How it stands, as far as counting tells."""
        with self._lock:
            latencies, answered_at = tuple(self._latencies), self._last_answered_at
        return Status(replica=os.getpid(), figures=self.figures(), latencies=latencies, last_answered_at=answered_at)


class Roll:
    """What the replicas of a service have said of themselves, each at its own time."""

    def __init__(self, *, quiet_seconds: float = 15.0) -> None:
        """Args: one that has said nothing for ``quiet_seconds`` is taken for gone; each is asked every few seconds."""
        self._quiet = quiet_seconds
        self._heard: dict[int, tuple[float, Status]] = {}

    def hear(self, status: Status, now: float) -> Status:
        """Note how a replica stands and return how all do; ``now`` in seconds of any clock that only goes on.

        What those that are gone have answered counts on; their troubles and figures of the moment do not.
        """
        self._heard[status.replica] = now, status
        return together([one if now - at < self._quiet else one.past() for at, one in self._heard.values()])


def together(found: Sequence[Status]) -> Status:
    """Add up replicas."""
    answered_at = [status.last_answered_at for status in found if status.last_answered_at is not None]
    return Status(
        replica=0,
        figures=reduce(Figures.plus, (status.figures for status in found), Figures()),
        latencies=tuple(second for status in found for second in status.latencies),
        last_answered_at=max(answered_at, default=None),
        bundle=", ".join(dict.fromkeys(status.bundle for status in found if status.bundle)),
        shadowed=sum(status.shadowed for status in found),
        shadow_failed=sum(status.shadow_failed for status in found),
        problems=tuple(dict.fromkeys(problem for status in found for problem in status.problems)),
    )
