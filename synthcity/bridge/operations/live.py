"""A run while it goes on: trials, curves, arms and money, as its journal tells them."""

from __future__ import annotations

from typing import Any

from pydantic import Field
from typing_extensions import TypedDict

from synthcity.bridge.operation import Answer, Asked, Input, Operation
from synthcity.bridge.operations.history import folder_of


class TrialTold(TypedDict):
    """One trial; ``leads`` are its rungs' leads in percent over the best baseline, minus is better."""

    id: str
    source: str
    architecture: str
    state: str
    rung: int
    rungs: int
    lead: float | None
    leads: list[float]
    steps_per_second: float | None
    failure: str | None


class ArmTold(TypedDict):
    """One proposer: its trials, what it cost, and whether it is open, resting or closed."""

    name: str
    trials: int
    usd: float
    state: str


class LiveRun(TypedDict):
    """How far a run is; trials that run come first, then the best, last those that wait."""

    id: str
    name: str
    competition: str
    assets: list[str]
    stage: str
    finished: bool
    used_seconds: float
    left_seconds: float | None
    trials_finished: int
    trials_wanted: int | None
    best: str | None
    best_lead: float | None
    baseline: str | None
    looks: int
    rejected: int
    usd: float
    arms: list[ArmTold]
    trials: list[TrialTold]
    troubles: list[str]


class Shown(Input):
    """Which run, and how much of it."""

    id: str = Field(min_length=1, max_length=200, description="Its id, its name, or latest.", examples=["latest"])
    limit: int = Field(50, ge=1, le=1000, description="Trials shown.")


def _live(asked: Asked[Shown]) -> Answer:
    from synthcity.search.candidates.notation import sketch
    from synthcity.search.journal.folder import read_run
    from synthcity.search.journal.history import FAILED, QUEUED, RUNNING, TrialHistory
    from synthcity.search.journal.progress import Progress

    folder = folder_of(asked, asked.given.id)
    history = TrialHistory.replay(read_run(folder)[1])
    progress, run = Progress(history), history.run
    order = {RUNNING: 0, FAILED: 2, QUEUED: 3}
    records = sorted(
        history.records,
        key=lambda one: (order.get(one.status, 1), one.score is None, one.score or 0.0, one.candidate.index),
    )
    names = sorted({one.candidate.source for one in history.records} | set(progress.usd) | set(history.arms))
    best, baseline = progress.best_trial, progress.best_baseline
    return {
        "id": folder.name,
        "name": run.get("name", folder.name) if run else folder.name,
        "competition": run.get("competition", "") if run else "",
        "assets": list(run.get("assets", ())) if run else [],
        "stage": history.stage,
        "finished": history.finals.finished,
        "used_seconds": history.used_seconds,
        "left_seconds": None if history.finals.finished else progress.left_seconds(),
        "trials_finished": progress.num_finished,
        "trials_wanted": run.get("trials") if run else None,
        "best": best.id if best else None,
        "best_lead": progress.relative(best.score) if best else None,
        "baseline": baseline[0] if baseline else None,
        "looks": history.looks,
        "rejected": len(history.rejections),
        "usd": history.usd,
        "arms": [
            {
                "name": name,
                "trials": sum(one.candidate.source == name for one in history.records),
                "usd": progress.usd.get(name, 0.0),
                "state": history.arms[name].state if name in history.arms else "open",
            }
            for name in names
        ],
        "trials": [
            {
                "id": one.id,
                "source": one.candidate.origin,
                "architecture": sketch(one.candidate.config),
                "state": one.status,
                "rung": one.last["rung"] if one.last else 0,
                "rungs": one.last["num_rungs"] if one.last else 0,
                "lead": progress.relative(one.score),
                "leads": [lead for score in one.curve if (lead := progress.relative(score)) is not None],
                "steps_per_second": one.steps_per_second,
                "failure": one.failure["class"] if one.failure else None,
            }
            for one in records[: asked.given.limit]
        ],
        "troubles": [
            str(event.get("note") or event.get("reason") or event.get("error") or event["kind"])
            for event in history.troubles[-5:]
        ],
    }


OPERATIONS: tuple[Operation[Any], ...] = (
    Operation(
        name="live",
        about="Say how far a run is: its trials with their curves, who proposed them, and what it cost.",
        route="/dash/snapshot/{id}",
        takes=Shown,
        gives=LiveRun,
        act=_live,
        also={"/dash/snapshot": {"id": "latest"}},
    ),
)
