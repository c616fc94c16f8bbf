"""Short ways to candidates, records and histories."""

from __future__ import annotations

from typing import Any

from synthcity.search.candidates.candidate import Candidate
from synthcity.search.candidates.space import canonical, config_hash
from synthcity.search.journal.history import TrialHistory


def config(**changes: Any) -> dict[str, Any]:
    """A canonical config: the defaults, changed."""
    return canonical({"blocks": [{"name": "lstm"}], "head": {"name": "gbm"}, **changes})


def candidate(index: int, source: str = "random", rate: float | None = None) -> Candidate:
    """A candidate of its own, told apart by its learning rate."""
    chosen = config(training={"learning_rate": rate or 5e-4 + 1e-4 * index})
    return Candidate(index=index, source=source, config=chosen, hash=config_hash(chosen))


def tell(
    candidate: Candidate, *scores: float, status: str = "completed", seconds: float = 10.0
) -> list[dict[str, Any]]:
    """The events of one whole trial; ``status`` "running" leaves it open, "queued" only proposes it."""
    time = 100.0 * candidate.index
    events: list[dict[str, Any]] = [{"kind": "candidate", "time": time, **candidate.to_dict()}]
    if status == "queued":
        return events
    events.append({"kind": "trial_started", "time": time + 1, "id": candidate.id, "from_rung": 0})
    for rung, score in enumerate(scores, start=1):
        events.append(
            {"kind": "rung", "time": time + 1 + rung, "id": candidate.id, "rung": rung, "num_rungs": 4}
            | {"score": score, "train_seconds": seconds, "validation_seconds": 1.0, "parameters": 1000}
        )
    if status != "running":
        end: dict[str, Any] = {"kind": "trial_finished", "time": time + 50, "id": candidate.id, "status": status}
        if status == "failed":
            end["failure"] = {"class": "TrialFailed", "message": "the loss became nan", "traceback": ""}
        events.append(end)
    return events


def history(*trials: list[dict[str, Any]]) -> TrialHistory:
    """The history of the given trials' events."""
    return TrialHistory.replay(event for events in trials for event in events)
