"""What is counted of a service: one list of metrics, and figures that cross processes and add up."""

from __future__ import annotations

import bisect
from collections.abc import Mapping
from dataclasses import dataclass, field

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
_AGES = (10.0, 30.0, 60.0, 90.0, 120.0, 180.0, 300.0, 600.0, 1800.0)


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A counter, or with ``buckets`` a histogram."""

    name: str
    help: str
    labels: tuple[str, ...]
    buckets: tuple[float, ...] = ()


ANSWERS = Metric(
    name="synthcity_answers",
    help="Prompts answered; fallback: why not by the model (late, crowded, stuck, failed, foreign), none if it did",
    labels=("route", "asset", "time_length", "fallback"),
)
REFUSALS = Metric(
    name="synthcity_refusals", help="Requests without an answer", labels=("route", "asset", "status", "reason")
)
UNRECORDED = Metric(name="synthcity_unrecorded", help="Answers that the ledger lacks", labels=("reason",))
LATENCY = Metric(
    name="synthcity_latency_seconds",
    help="From the request to its answer, encoded",
    labels=("route", "asset", "time_length"),
    buckets=_SECONDS,
)
MARGIN = Metric(
    name="synthcity_deadline_margin_seconds",
    help="What was left of the caller's time when the answer was ready",
    labels=("route", "asset", "time_length"),
    buckets=_SECONDS,
)
PRICE_AGE = Metric(
    name="synthcity_price_age_seconds",
    help="Age of the last price when a prompt came",
    labels=("route", "asset", "time_length"),
    buckets=_AGES,
)
METRICS = (ANSWERS, REFUSALS, UNRECORDED, LATENCY, MARGIN, PRICE_AGE)

Key = tuple[str, tuple[str, ...]]
"""Name of a metric and the values of its labels, in their order."""


@dataclass(frozen=True, kw_only=True)
class Histogram:
    """How many values lie in each bucket, not added up, the last one without a bound; and the sum of all values."""

    counts: tuple[int, ...]
    total: float

    def plus(self, other: Histogram) -> Histogram:
        """Both together."""
        counts = tuple(a + b for a, b in zip(self.counts, other.counts, strict=True))
        return Histogram(counts=counts, total=self.total + other.total)


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Counters and histograms at one moment."""

    counters: Mapping[Key, float] = field(default_factory=dict)
    histograms: Mapping[Key, Histogram] = field(default_factory=dict)

    def plus(self, other: Figures) -> Figures:
        """Those of two processes together."""
        counters, histograms = dict(self.counters), dict(self.histograms)
        for key, value in other.counters.items():
            counters[key] = counters.get(key, 0.0) + value
        for key, histogram in other.histograms.items():
            histograms[key] = histograms[key].plus(histogram) if key in histograms else histogram
        return Figures(counters=counters, histograms=histograms)

    def by(self, metric: Metric, label: str, **only: str) -> dict[str, int]:
        """Sums of a counter by one label, over those whose other labels have the values ``only``."""
        found: dict[str, int] = {}
        for (name, values), count in self.counters.items():
            if name == metric.name:
                labels = dict(zip(metric.labels, values, strict=True))
                if all(labels[other] == value for other, value in only.items()):
                    found[labels[label]] = found.get(labels[label], 0) + round(count)
        return found


def key_of(metric: Metric, labels: Mapping[str, str]) -> Key:
    """Where a value of ``metric`` with these labels is kept."""
    return metric.name, tuple(labels[name] for name in metric.labels)


def bucket_of(metric: Metric, value: float) -> int:
    """Index of the bucket of a histogram that ``value`` lies in; a bound belongs to the bucket below it."""
    return bisect.bisect_left(metric.buckets, value)
