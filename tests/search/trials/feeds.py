"""A queue of candidates without Ray: made, popped from and run dry."""

from __future__ import annotations

import time
from typing import Any

from synthcity.search.candidates.space import Space
from synthcity.search.config import BudgetConfig
from synthcity.search.debugger import Debugger
from synthcity.search.gate import Gate, GateLimits
from synthcity.search.journal.recorder import Recorder
from synthcity.search.proposers import DefaultsProposer, Proposer, make_arms
from synthcity.search.trials.queue import TrialQueue

SPACE = Space.from_registry()


def make_feed(
    recorder: Recorder,
    budget: BudgetConfig,
    arms: dict[str, Proposer] | None = None,
    defaults: list[tuple[str, dict[str, Any]]] = [],  # noqa: B006 - never changed
    *,
    is_debugged: bool = False,
) -> TrialQueue:
    gate = Gate(SPACE, lambda config: {"parameters": 1}, GateLimits(max_parameters=10))
    return TrialQueue(
        recorder=recorder,
        gate=gate,
        defaults=DefaultsProposer(defaults),
        arms=arms if arms is not None else make_arms(budget.arms, SPACE),
        budget=budget,
        workers=2,
        debugger=Debugger(space=SPACE, gate=gate, trials=budget.trials) if is_debugged else None,
    )


def wait_for(condition: Any, seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)


def pop(feed: TrialQueue) -> str | None:
    """The next candidate's id, or None once the feed is done."""
    found = []

    def ready() -> bool:
        candidate = feed.pop()
        if candidate is not None:
            found.append(candidate.id)
        return bool(found) or feed.done

    wait_for(ready)
    return found[0] if found else None


def finish(recorder: Recorder, feed: TrialQueue, name: str) -> None:
    rate = recorder.history.trials[name].candidate.config["training"]["learning_rate"]
    recorder.emit("trial_started", id=name, from_rung=0)
    figures = {"score": 5000 + 1e4 * abs(rate - 3e-3), "train_seconds": 1.0, "validation_seconds": 0.1}
    recorder.emit("rung", id=name, rung=1, num_rungs=1, **figures)
    recorder.emit("trial_finished", id=name, status="completed")
    feed.wake()


def drive(recorder: Recorder, feed: TrialQueue, *, parallel: int = 2, newest_first: bool = False) -> list[str]:
    """Run the feed dry with ``parallel`` trials at a time."""
    feed.start()
    handed, live = [], []
    while True:
        while len(live) < parallel and (candidate := feed.pop()) is not None:
            handed.append(candidate.id)
            live.append(candidate.id)
        if live:
            finish(recorder, feed, live.pop(-1 if newest_first else 0))
        elif feed.done:
            break
        time.sleep(0.005)
    feed.join()
    assert feed.failure is None
    return handed


def fail(recorder: Recorder, feed: TrialQueue, name: str, message: str) -> None:
    recorder.emit("trial_started", id=name, from_rung=0)
    failure = {"class": "RuntimeError", "message": message, "traceback": ""}
    recorder.emit("trial_finished", id=name, status="failed", failure=failure)
    feed.wake()
