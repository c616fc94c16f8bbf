"""Metrics for Prometheus at a fixed port of the loopback."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterable, Iterator, Sequence

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from synthcity.errors import ConfigError
from synthcity.serve.answering.metrics import METRICS, Figures
from synthcity.serve.operations.alarms import ALARMS, Severity
from synthcity.serve.operations.view import View

HOST = "127.0.0.1"


def figure_families(figures: Figures) -> Iterator[Metric]:
    """All that replicas count, added up; every metric is there, even if nothing was counted yet."""
    for metric in METRICS:
        if metric.buckets:
            histogram = HistogramMetricFamily(metric.name, metric.help, labels=metric.labels)
            for (name, labels), values in figures.histograms.items():
                if name == metric.name:
                    bounds, sums = [*map(str, metric.buckets), "+Inf"], _running(values.counts)
                    histogram.add_metric(labels, list(zip(bounds, sums, strict=True)), values.total)
            yield histogram
        else:
            counter = CounterMetricFamily(metric.name, metric.help, labels=metric.labels)
            for (name, labels), count in figures.counters.items():
                if name == metric.name:
                    counter.add_metric(labels, count)
            yield counter


def view_families(view: View) -> Iterator[Metric]:
    """The same, and how the miner stands now."""
    facts = view.facts
    yield from figure_families(facts.status.figures)
    place, settled = facts.surroundings, facts.settled
    alarm = _gauge("synthcity_alarm", "1 for an alarm that stands", ("alarm", "severity"))
    standing = {(one.name, one.severity) for one in view.alarms}
    for name in ALARMS:
        for severity in Severity:
            alarm.add_metric((name, severity), float((name, severity) in standing))
    yield alarm
    ages = _gauge("synthcity_newest_price_age_seconds", "Since the newest price was observed", ("asset",))
    for asset, age in facts.ages.items():
        ages.add_metric((asset,), age)
    yield ages
    average = _gauge("synthcity_average_score", "Rolling average of settled answers, basis points", ("competition",))
    for one in settled.standings:
        average.add_metric((one.competition,), one.average)
    yield average
    quiet = facts.now - max(facts.started_at, facts.status.last_answered_at or 0.0)
    for name, help, value in (
        ("synthcity_seconds_since_prompt", "Since a validator got an answer, or the start", quiet),
        ("synthcity_clock_offset_seconds", "How far our clock is ahead", place.clock_offset),
        ("synthcity_disk_free_bytes", "What the disk of the state folder has left", place.disk_free),
        ("synthcity_ledger_bytes", "What the ledger takes", place.ledger_bytes),
        ("synthcity_ledger_quota_bytes", "What the ledger may take", place.ledger_quota),
        ("synthcity_settled_answers", "Answers with a score", settled.num_settled),
        ("synthcity_pending_answers", "Answers that wait for their score", settled.num_pending),
    ):
        yield _gauge(name, help, (), math.nan if value is None else float(value))


@contextlib.contextmanager
def exporting(port: int, families: Callable[[], Iterable[Metric]]) -> Iterator[str]:
    """Serve what ``families`` returns at each scrape until the end of the block, and yield the address.

    Raises:
        ConfigError: the port is taken.
    """

    class Now(Collector):
        def collect(self) -> Iterable[Metric]:
            return families()

    registry = CollectorRegistry()
    try:
        server, thread = start_http_server(port, HOST, registry)
    except OSError as error:
        raise ConfigError(
            f"metrics cannot be shown at {HOST}:{port} ({error.strerror}); choose another --metrics-port"
        ) from error
    registry.register(Now())  # not before: registering asks for the families
    try:
        yield f"http://{HOST}:{server.server_port}/metrics"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _gauge(name: str, help: str, labels: Sequence[str], value: float | None = None) -> GaugeMetricFamily:
    return (
        GaugeMetricFamily(name, help, value=value)
        if value is not None
        else GaugeMetricFamily(name, help, labels=labels)
    )


def _running(counts: Sequence[int]) -> list[float]:
    total, sums = 0.0, []
    for count in counts:
        total += count
        sums.append(total)
    return sums
