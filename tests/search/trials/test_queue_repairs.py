"""What the debugger does to the queue: repairs are candidates like others, and what comes too late is diagnosed."""

from __future__ import annotations

from functools import partial

import pytest

from synthcity.search.candidates.candidate import Proposal
from synthcity.search.config import BudgetConfig
from synthcity.search.gate import Gate, GateLimits, Rejected
from synthcity.search.journal.events import DiagnosisTold
from synthcity.search.journal.history import TrialHistory
from synthcity.search.journal.recorder import Recorder
from tests.search.builders import config
from tests.search.trials.feeds import SPACE, drive, fail, finish, make_feed, pop, wait_for

debugged = partial(make_feed, is_debugged=True)


@pytest.mark.parametrize("deterministic", [False, True])
def test_a_repair_is_a_candidate_on_the_same_budget(recorder: Recorder, deterministic: bool) -> None:
    feed = debugged(recorder, BudgetConfig(trials=8, deterministic=deterministic, generation=2))
    feed.start()
    first = pop(feed)
    assert first is not None
    fail(recorder, feed, first, "the training loss became nan between steps 0 and 9")
    while (name := pop(feed)) is not None:
        finish(recorder, feed, name)
    feed.join()
    assert feed.failure is None
    assert len(recorder.history.trials) == 8
    (child,) = [r for r in recorder.history.records if r.candidate.source == "debugger"]
    assert child.candidate.parent == first
    assert child.status == "completed"
    assert child.candidate.index <= 4


def test_a_limit_is_journalled_and_holds_after_a_restart(recorder: Recorder) -> None:
    budget = BudgetConfig(trials=6)
    feed = debugged(recorder, budget)
    feed.start()
    first = pop(feed)
    assert first is not None
    fail(recorder, feed, first, "CUDA out of memory")
    wait_for(lambda: pop(feed) and recorder.history.limits)
    feed.join()
    again = TrialHistory.replay(recorder.events)
    assert [record.candidate.id for record in again.limits] == [first]
    assert again.trials[first].to_dict()["diagnosis"]["action"] == "limit"
    same = again.trials[first].candidate.config
    larger = {**same, "training": {**same["training"], "weight_decay": 0.3, "learning_rate": 7e-3}}
    with pytest.raises(Rejected, match=f"in nothing smaller than {first}"):
        Gate(SPACE, lambda config: {"parameters": 1}, GateLimits(max_parameters=10)).screen(
            Proposal(config=larger), again
        )
    drive(recorder, debugged(recorder, budget))
    assert len(recorder.all(DiagnosisTold)) == 1


@pytest.mark.parametrize(
    ("budget", "why"),
    [
        (BudgetConfig(trials=2), "the trial budget was used up"),
        (BudgetConfig(trials=2, deterministic=True, generation=2), "the trial budget was used up"),
        (BudgetConfig(trials=9, candidates=("one",), arms={}), "nothing but what was written by hand"),
        (BudgetConfig(trials=9), "the time budget was used up"),
    ],
)
def test_failures_that_come_too_late_are_diagnosed_and_spend_no_trial(
    recorder: Recorder, budget: BudgetConfig, why: str
) -> None:
    feed = debugged(recorder, budget, defaults=[("one", config()), ("two", config(blocks=[{"name": "tcn"}]))])
    feed.start()
    names = [pop(feed), pop(feed)]
    feed.join()  # as Ray's loop and the deadline do
    for name, message in zip(names, ["the training loss became nan", "CUDA out of memory"], strict=True):
        fail(recorder, feed, str(name), message)
    num_trials = len(recorder.history.trials)
    feed.settle()
    feed.settle()
    first, second = (recorder.history.trials[str(name)].diagnosis for name in names)
    assert first is not None
    assert second is not None
    assert (first.cause, first.action) == ("nan", "leave")
    assert why in first.reason
    assert (second.cause, second.action) == ("memory", "limit"), "what is never repaired needs no excuse"
    assert len(recorder.all(DiagnosisTold)) == 2
    assert len(recorder.history.trials) == num_trials


def test_failures_that_the_budget_left_are_repaired_once_there_is_more_of_it(recorder: Recorder) -> None:
    listed = [(name, config(blocks=[{"name": name}])) for name in ("gru", "lstm", "tcn")]
    feed = debugged(recorder, BudgetConfig(trials=3, arms={}), defaults=listed)
    feed.start()
    names = [str(pop(feed)) for _ in listed]
    feed.join()
    for name in names:
        fail(recorder, feed, name, "the training loss became nan")
    feed.settle()
    assert [recorder.history.trials[name].diagnosis.by for name in names] == ["budget"] * 3  # type: ignore[union-attr]

    drive(recorder, debugged(recorder, BudgetConfig(trials=12, arms={}), defaults=listed))
    children = {record.candidate.parent for record in recorder.history.records if record.candidate.source == "debugger"}
    assert children == set(names), "three failures that nobody looked into are no reason to give up"
