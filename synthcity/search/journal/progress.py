"""How far a search is, counted from its history: what the live view and the report show."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from synthcity.search.journal.history import FAILED, TrialHistory, TrialRecord


@dataclass(frozen=True)
class Progress:
    """Figures of a ``history``."""

    history: TrialHistory

    @property
    def best_baseline(self) -> tuple[str, float] | None:
        """Name and validation score of the best baseline, None before they are known."""
        return min(self.history.baselines.items(), key=lambda item: item[1], default=None)

    @cached_property
    def best_trial(self) -> TrialRecord | None:
        """The trial that is best so far by the rule of the search, as in ``TrialHistory.scored``."""
        return next(iter(self.history.scored), None)

    @property
    def num_finished(self) -> int:
        """Trials that came to an end in any way."""
        return len(self.history.finished)

    @property
    def num_failed(self) -> int:
        """Trials that failed."""
        return sum(record.status == FAILED for record in self.history.records)

    @property
    def usd(self) -> dict[str, float]:
        """What was paid to a language model, by arm."""
        paid: dict[str, float] = {}
        for answer in self.history.answers:
            paid[answer.source] = paid.get(answer.source, 0.0) + answer.usd
        return paid

    def relative(self, score: float | None) -> float | None:
        """``score`` against the best baseline in percent, negative when better."""
        best = self.best_baseline
        return None if score is None or best is None else 100.0 * (score - best[1]) / best[1]

    def left_seconds(self, since: float = 0.0) -> float | None:
        """What is left of the time budget ``since`` seconds after the last event, None where there is none."""
        budget = self.history.run.get("time_budget") if self.history.run else None
        return None if budget is None else max(0.0, budget - self.history.used_seconds - since)

    def utilisation(self) -> float | None:
        """Share of the workers' time between first and last trial that went into training and validation."""
        # a session may have had no trial: one that resumed into the finals
        spans = [session.work[1] - session.work[0] for session in self.history.sessions if session.work]
        span = sum(spans) * (self.history.run["workers"] if self.history.run else 1)
        busy = sum(record.seconds for record in self.history.records)
        return busy / span if span > 0 else None
