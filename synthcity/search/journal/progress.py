"""The state of a search as its journal tells it: one fold of events, shown live and in the report.

Every event is a dict with ``kind`` and ``time`` (unix seconds). A journal may hold several sessions, as a
killed search is resumed; what was running when a session ended waits again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from synthcity.search.arms import OPEN

Event = Mapping[str, Any]


@dataclass
class Trial:
    """One candidate on its way through training."""

    id: str
    source: str = ""
    parent: str | None = None
    rationale: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)
    state: str = "waiting"  # waiting, running, completed, stopped or failed
    started: float | None = None
    finished: float | None = None
    rungs: dict[int, Event] = field(default_factory=dict)  # by number, so a repeated rung counts once
    num_rungs: int = 0
    score: float | None = None
    failure: Mapping[str, Any] | None = None
    diagnosis: Event = field(default_factory=dict)  # empty where there is none
    usd: float = 0.0  # paid to a language model for it

    @property
    def rung(self) -> int:
        """Last rung reached, 0 before the first."""
        return max(self.rungs, default=0)

    @property
    def last(self) -> Event:
        """The event of the last rung, empty before the first."""
        return self.rungs.get(self.rung, {})

    @property
    def seconds(self) -> float:
        """Time spent training and validating."""
        return sum(busy_seconds(rung) for rung in self.rungs.values())

    @property
    def steps_per_second(self) -> float | None:
        """Training steps a second in the last rung, None before it."""
        before = self.rungs.get(self.rung - 1, {}).get("steps", 0)
        seconds = self.last.get("train_seconds", self.last.get("seconds", 0.0))
        return (self.last["steps"] - before) / seconds if self.rungs and seconds else None


class Progress:
    """Everything counted from the events so far."""

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self.run: Event = {}
        self.trials: dict[str, Trial] = {}
        self.rejected: list[Event] = []
        self.finalists: dict[str, Event] = {}  # by name, so one scored again after a kill counts once
        self.mix: Event = {}
        self.winner: Event = {}
        self.troubles: list[Event] = []  # what went wrong outside the trials' own code
        self.stage: Event = {}
        self.arms: dict[str, str] = {}  # state of each arm that was ever told
        self.usd: dict[str, float] = {}  # paid to a language model, by arm
        self.sessions: list[list[float]] = []  # [first, last] event time of each
        self._spans: list[list[float]] = []  # the part of each session between its first trial and its last
        for event in events:
            self.update(event)

    def update(self, event: Event) -> None:
        """Take in one event; kinds that tell nothing of the state are passed over."""
        handler = getattr(self, f"_on_{event['kind']}", None)
        if event["kind"] in ("run_started", "run_resumed"):
            self.sessions.append([event["time"], event["time"]])
        elif self.sessions:
            self.sessions[-1][1] = max(self.sessions[-1][1], event["time"])
        if handler is not None:
            handler(event)

    @property
    def best_baseline(self) -> tuple[str, float] | None:
        """Name and validation score of the best baseline, None before they are known."""
        scores = self.run.get("baseline_scores") or {}
        return min(scores.items(), key=lambda item: item[1]) if scores else None

    @property
    def best_trial(self) -> Trial | None:
        """The trial with the lowest validation score so far."""
        scored = [trial for trial in self.trials.values() if trial.score is not None and trial.state != "failed"]
        return min(scored, key=lambda trial: trial.score or 0.0, default=None)

    @property
    def num_finished(self) -> int:
        """Trials that came to an end in any way."""
        return sum(trial.state in ("completed", "stopped", "failed") for trial in self.trials.values())

    @property
    def num_failed(self) -> int:
        """Trials that failed."""
        return sum(trial.state == "failed" for trial in self.trials.values())

    def relative(self, score: float | None) -> float | None:
        """``score`` against the best baseline in percent, negative when better."""
        best = self.best_baseline
        return None if score is None or best is None else 100.0 * (score - best[1]) / best[1]

    def used_seconds(self, now: float | None = None) -> float:
        """Time spent in all sessions, the last one up to ``now`` if given."""
        spans = [last - first for first, last in self.sessions]
        if now is not None and spans:
            spans[-1] = now - self.sessions[-1][0]
        return sum(spans)

    def elapsed(self, moment: float) -> float:
        """Search time at which ``moment`` (unix seconds) lay, the pauses between sessions left out."""
        return sum(max(0.0, min(last, moment) - first) for first, last in self.sessions)

    def left_seconds(self, now: float) -> float | None:
        """What is left of the time budget, None where there is none."""
        budget = self.run.get("time_budget")
        return None if budget is None else max(0.0, budget - self.used_seconds(now))

    def utilisation(self) -> float | None:
        """Share of the workers' time between first and last trial that went into training and validation."""
        # a session may have had no trial: one that resumed into the finals
        span = sum(span[1] - span[0] for span in self._spans if span) * self.run.get("workers", 1)
        busy = sum(trial.seconds for trial in self.trials.values())
        return busy / span if span > 0 else None

    def _on_run_started(self, event: Event) -> None:
        self.run = {**self.run, **event}
        for trial in self.trials.values():
            if trial.state == "running":
                trial.state = "waiting"
        self._spans.append([])

    _on_run_resumed = _on_run_started

    def _on_baselines(self, event: Event) -> None:
        self.run = {**self.run, "baseline_scores": event["scores"]}

    def _on_candidate(self, event: Event) -> None:
        trial = self._trial(event)
        trial.source, trial.parent = event["source"], event.get("parent")
        trial.rationale, trial.config = event.get("rationale", ""), event["config"]
        trial.usd = event.get("usd", 0.0)

    def _on_rejected(self, event: Event) -> None:
        self.rejected.append(event)

    def _on_trial_started(self, event: Event) -> None:
        trial = self._trial(event)
        trial.state = "running"
        trial.started = trial.started or event["time"]
        self._work(event)

    def _on_rung(self, event: Event) -> None:
        trial = self._trial(event)
        trial.rungs[event["rung"]] = event
        trial.num_rungs = event["num_rungs"]
        trial.score = min(event["score"], event["score"] if trial.score is None else trial.score)
        self._work(event)

    def _on_trial_finished(self, event: Event) -> None:
        trial = self._trial(event)
        trial.state, trial.finished = event["status"], event["time"]
        trial.failure = event.get("failure")
        trial.score = event["score"] if event.get("score") is not None else trial.score
        self._work(event)

    def _on_diagnosis(self, event: Event) -> None:
        self._trial(event).diagnosis = event

    def _on_stage(self, event: Event) -> None:
        self.stage = event

    def _on_finalist(self, event: Event) -> None:
        self.finalists[event["name"]] = event

    def _on_mix(self, event: Event) -> None:
        self.mix = event

    def _on_winner(self, event: Event) -> None:
        self.winner = event

    def _on_author_ended(self, event: Event) -> None:
        if event["admitted"] is None:
            self._on_trouble(event)

    def _on_trouble(self, event: Event) -> None:
        self.troubles.append(event)

    _on_worker_died = _on_tune_lost = _on_proposer_failed = _on_run_interrupted = _on_trouble

    def _on_answered(self, event: Event) -> None:
        self.usd[event["source"]] = self.usd.get(event["source"], 0.0) + event["usd"]

    def _on_arm_state(self, event: Event) -> None:
        self.arms[event["source"]] = event["state"]
        if event["state"] != OPEN:
            self._on_trouble(event)

    def _trial(self, event: Event) -> Trial:
        name = str(event["id"])
        return self.trials.setdefault(name, Trial(name))

    def _work(self, event: Event) -> None:
        if not self._spans:
            self._spans.append([])
        span = self._spans[-1]
        span[:] = [span[0] if span else event["time"], event["time"]]


def busy_seconds(rung: Event) -> float:
    """Seconds that one rung trained and validated."""
    if "train_seconds" in rung:
        return float(rung["train_seconds"] + rung.get("validation_seconds", 0.0))
    return float(rung.get("seconds", 0.0))


def duration(seconds: float) -> str:
    """Seconds as "45 s", "12:05" or "3:07:09"."""
    whole = round(seconds)
    hours, minutes = whole // 3600, whole % 3600 // 60
    if hours:
        return f"{hours}:{minutes:02d}:{whole % 60:02d}"
    return f"{minutes}:{whole % 60:02d}" if minutes else f"{whole} s"


def percent(value: float | None, digits: int = 2) -> str:
    """A signed percentage with a true minus sign, "-" where there is none."""
    if value is None:
        return "-"
    text = f"{value:+.{digits}f} %"
    return text.replace("-", "\N{MINUS SIGN}")
