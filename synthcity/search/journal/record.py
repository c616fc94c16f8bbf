"""One candidate's life, as the events of its trial tell it."""

from __future__ import annotations

from dataclasses import dataclass

from synthcity.search.candidates.candidate import Candidate
from synthcity.search.journal.diagnosis import Diagnosis
from synthcity.search.journal.events import OfTrial, RungTold
from synthcity.search.journal.parts import Failure

QUEUED, RUNNING, COMPLETED, STOPPED, FAILED = "queued", "running", "completed", "stopped", "failed"


@dataclass(frozen=True, kw_only=True)
class TrialRecord:
    """``rungs`` holds the trainer's figures of each rung, in order; ``elapsed`` is when of the run's time it ended."""

    candidate: Candidate
    status: str = QUEUED
    rungs: tuple[RungTold, ...] = ()
    checkpoint: str | None = None
    failure: Failure | None = None
    diagnosis: Diagnosis | None = None
    reason: str = ""
    proposed_at: float = 0.0
    started_at: float | None = None
    finished_at: float | None = None
    elapsed: float | None = None
    worker_deaths: int = 0
    nodes_lost: int = 0

    @property
    def id(self) -> str:
        """The candidate's."""
        return self.candidate.id

    @property
    def finished(self) -> bool:
        """Whether nothing more will come; a stopped trial keeps the rungs it has."""
        return self.status in (COMPLETED, STOPPED, FAILED)

    @property
    def score(self) -> float | None:
        """Best validation score over the rungs (bp, lower is better); None where there is none."""
        if self.status == FAILED or not self.rungs:
            return None
        return min(rung["score"] for rung in self.rungs)

    @property
    def curve(self) -> list[float]:
        """Each rung's own validation score; of old trainers, which told the best so far alone, that."""
        return [own_score(rung) for rung in self.rungs]

    @property
    def blocks(self) -> list[list[float]] | None:
        """Mean score and weight of each block of validation days at the best rung, whose weights are kept."""
        return min(self.rungs, key=own_score).get("blocks") if self.rungs else None

    @property
    def last(self) -> RungTold | None:
        """The last rung."""
        return self.rungs[-1] if self.rungs else None

    @property
    def seconds(self) -> float:
        """Seconds of worker time spent in training and validation."""
        return sum(busy_seconds(rung) for rung in self.rungs)

    @property
    def usd(self) -> float:
        """What its part of rented machines cost; its proposal's cost is the candidate's."""
        return sum(rung.get("usd", 0.0) for rung in self.rungs)

    @property
    def gpu_hours(self) -> float:
        """Hours of GPU that it was given."""
        return sum(rung.get("gpu_seconds", 0.0) for rung in self.rungs) / 3600

    @property
    def steps_per_second(self) -> float | None:
        """Training steps a second in the last rung, None before it."""
        if not self.rungs:
            return None
        last, before = self.rungs[-1], self.rungs[-2] if len(self.rungs) > 1 else None
        steps = last.get("steps", 0) - (before.get("steps", 0) if before else 0)
        seconds = last.get("train_seconds", last.get("seconds", 0.0))
        return steps / seconds if seconds else None

    def after(self, event: OfTrial) -> TrialRecord:
        """Return the record one event later."""
        if event["kind"] == "trial_started":
            return self._with(status=RUNNING, started_at=self.started_at or event["time"])
        if event["kind"] == "rung":
            # a rung repeated after a loss, because its checkpoint came too late, replaces its first telling and all
            # that came after: what is trained from now on follows from the repeated one
            earlier = tuple(rung for rung in self.rungs if rung["rung"] < event["rung"])
            return self._with(rungs=(*earlier, event))
        if event["kind"] == "checkpoint":
            return self._with(checkpoint=event["path"])
        if event["kind"] == "worker_died":
            return self._with(worker_deaths=self.worker_deaths + 1)
        if event["kind"] == "node_lost":
            return self._with(nodes_lost=self.nodes_lost + 1)
        if event["kind"] == "diagnosis":
            return self._with(diagnosis=Diagnosis.from_dict(event))
        return self._with(
            status=event["status"],
            reason=event.get("reason", ""),
            failure=event.get("failure"),
            finished_at=event["time"],
        )

    def _with(self, **changes: object) -> TrialRecord:
        """Return it changed, as ``dataclasses.replace`` does in five times the time, since it asks for each field."""
        later = object.__new__(TrialRecord)
        later.__dict__.update(self.__dict__ | changes)
        return later

    def to_dict(self) -> dict[str, object]:
        """Return the record as it stands in ``trials.jsonl``."""
        told = ("kind", "id", "session", "clock")
        return {
            **self.candidate.to_dict(),
            "status": self.status,
            "score": self.score,
            "seconds": self.seconds,
            "curve": self.curve,
            "rungs": [{name: value for name, value in rung.items() if name not in told} for rung in self.rungs],
            "parameters": self.rungs[-1].get("parameters") if self.rungs else None,
            "reason": self.reason,
            "failure": self.failure,
            "diagnosis": None if self.diagnosis is None else self.diagnosis.to_dict(),
            "worker_deaths": self.worker_deaths,
            "nodes_lost": self.nodes_lost,
            "machine_usd": self.usd,
            "gpu_hours": self.gpu_hours,
            "proposed_at": self.proposed_at,
            "started_at": self.started_at,
            "finished_at": self.finished_at,
        }


def own_score(rung: RungTold) -> float:
    """The validation score of a rung itself, not the best so far."""
    return rung.get("rung_score", rung["score"])


def busy_seconds(rung: RungTold) -> float:
    """Seconds that one rung trained and validated."""
    if "train_seconds" in rung:
        return rung["train_seconds"] + rung.get("validation_seconds", 0.0)
    return rung.get("seconds", 0.0)
