"""What Prometheus is told: one list of metrics, kept by Ray where Ray runs and by this process where it does not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

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
_COUNTERS = (ANSWERS, REFUSALS, UNRECORDED)
_HISTOGRAMS = (LATENCY, MARGIN, PRICE_AGE)


class Metrics(Protocol):
    """Takes one value of one metric."""

    def record(self, metric: Metric, labels: Mapping[str, str], value: float = 1.0) -> None:
        """Add to a counter, or observe in a histogram."""


class ProcessMetrics:
    """Kept in this process; ``text`` is what a scrape gets."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._counters = {m.name: Counter(m.name, m.help, m.labels, registry=self._registry) for m in _COUNTERS}
        self._histograms = {
            m.name: Histogram(m.name, m.help, m.labels, registry=self._registry, buckets=m.buckets) for m in _HISTOGRAMS
        }

    def record(self, metric: Metric, labels: Mapping[str, str], value: float = 1.0) -> None:
        """See ``Metrics.record``."""
        if metric.buckets:
            self._histograms[metric.name].labels(**labels).observe(value)
        else:
            self._counters[metric.name].labels(**labels).inc(value)

    def text(self) -> bytes:
        """All metrics in the text format of Prometheus."""
        return generate_latest(self._registry)


class RayMetrics:
    """Kept by Ray, which adds those of all replicas and serves them at its own metrics port."""

    def __init__(self) -> None:
        from ray.util import metrics as ray_metrics

        self._counters = {m.name: ray_metrics.Counter(m.name, m.help, m.labels) for m in _COUNTERS}
        self._histograms = {
            m.name: ray_metrics.Histogram(m.name, m.help, list(m.buckets), m.labels) for m in _HISTOGRAMS
        }

    def record(self, metric: Metric, labels: Mapping[str, str], value: float = 1.0) -> None:
        """See ``Metrics.record``."""
        if metric.buckets:
            self._histograms[metric.name].observe(value, dict(labels))
        else:
            self._counters[metric.name].inc(value, dict(labels))
