"""What one replica has answered so far: the figures of its metrics, kept as plain numbers for whoever watches."""

from __future__ import annotations

import os
import threading
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from synthcity.serve.answering import metrics as kinds
from synthcity.serve.answering.answer_ledger import FOREIGN
from synthcity.serve.answering.metrics import Metric, Metrics


@dataclass(frozen=True, kw_only=True)
class Status:
    """How a replica, or all of them, stand.

    Attributes:
        answered, fallbacks: prompts by asset, the latter those that the model did not answer.
        foreign: those of the fallbacks for which the model was not made.
        refused: requests without an answer by asset, "" where the asset was not known yet.
        price_ages: seconds, of the last answer by asset.
        latencies: seconds of the last answers.
        bundles: what is served.
        shadowed: prompts that a challenger answered in the shadow; ``shadow_failed`` of them it could not.
        problems: what is wrong, a sentence each.
    """

    replica: int
    answered: Mapping[str, int] = field(default_factory=dict)
    fallbacks: Mapping[str, int] = field(default_factory=dict)
    foreign: Mapping[str, int] = field(default_factory=dict)
    refused: Mapping[str, int] = field(default_factory=dict)
    price_ages: Mapping[str, float] = field(default_factory=dict)
    latencies: tuple[float, ...] = ()
    bundle: str = ""
    shadowed: int = 0
    shadow_failed: int = 0
    problems: tuple[str, ...] = ()

    @property
    def latency(self) -> tuple[float, float] | None:
        """Median and worst of the last answers in seconds; None before the first."""
        return (float(np.median(self.latencies)), max(self.latencies)) if self.latencies else None

    def past(self) -> Status:
        """What stays true of a replica that is gone: its sums."""
        return replace(self, price_ages={}, latencies=(), problems=(), bundle="")


class Tally:
    """Hands every figure on to ``metrics`` and adds it up. Use from any thread."""

    def __init__(self, metrics: Metrics, *, most_latencies: int = 200) -> None:
        self.metrics = metrics
        self._lock = threading.Lock()
        self._answered: Counter[str] = Counter()
        self._fallbacks: Counter[str] = Counter()
        self._foreign: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()
        self._price_ages: dict[str, float] = {}
        self._latencies: deque[float] = deque(maxlen=most_latencies)

    def record(self, metric: Metric, labels: Mapping[str, str], value: float = 1.0) -> None:
        """See ``Metrics.record``."""
        self.metrics.record(metric, labels, value)
        asset = labels.get("asset", "")
        with self._lock:
            if metric is kinds.ANSWERS:
                self._answered[asset] += 1
                self._fallbacks[asset] += labels["fallback"] != "none"
                self._foreign[asset] += labels["fallback"] == FOREIGN
            elif metric is kinds.REFUSALS:
                self._refused[asset] += 1
            elif metric is kinds.LATENCY:
                self._latencies.append(value)
            elif metric is kinds.PRICE_AGE:
                self._price_ages[asset] = value

    def status(self) -> Status:
        """The sums so far."""
        with self._lock:
            return Status(
                replica=os.getpid(),
                answered=dict(self._answered),
                fallbacks=dict(self._fallbacks),
                foreign=dict(self._foreign),
                refused=dict(self._refused),
                price_ages=dict(self._price_ages),
                latencies=tuple(self._latencies),
            )


def together(found: list[Status]) -> Status:
    """Add up replicas, each of which was seen at its own time."""
    sums = {name: Counter[str]() for name in ("answered", "fallbacks", "foreign", "refused")}
    for status in found:
        for name, counter in sums.items():
            counter.update(getattr(status, name))
    return Status(
        replica=0,
        answered=sums["answered"],
        fallbacks=sums["fallbacks"],
        foreign=sums["foreign"],
        refused=sums["refused"],
        price_ages={asset: age for status in found for asset, age in status.price_ages.items()},
        latencies=tuple(second for status in found for second in status.latencies),
        bundle=", ".join(dict.fromkeys(status.bundle for status in found if status.bundle)),
        shadowed=sum(status.shadowed for status in found),
        shadow_failed=sum(status.shadow_failed for status in found),
        problems=tuple(dict.fromkeys(problem for status in found for problem in status.problems)),
    )
