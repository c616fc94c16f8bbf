"""The finals keep to the time budget: what is cut, in which order, and that it is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from synthcity.search.config import BudgetConfig
from synthcity.search.finals.timing import FinalsClock, TrialsClock, note_refit, reserve
from synthcity.search.journal import recorder as recorders
from synthcity.search.journal.journal import Journal
from synthcity.search.journal.recorder import Recorder
from tests.search.builders import candidate, history, tell

BUDGET = BudgetConfig(time_budget=100.0, finals_share=0.2, final_seeds=2)


class Clock:
    now = 0.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(recorders.time, "monotonic", lambda: clock.now)
    return clock


@pytest.fixture
def recorder(tmp_path: Path, clock: Clock) -> Iterator[Recorder]:
    with Journal(tmp_path) as journal:
        yield Recorder(journal)


def cuts(recorder: Recorder) -> list[str]:
    return [event["note"] for event in recorder.events if event["kind"] == "degraded" and event["cut"]]


def test_without_a_budget_nothing_is_cut(recorder: Recorder) -> None:
    free = FinalsClock(recorder, BudgetConfig())
    records = history(*(tell(candidate(k), 5000.0) for k in range(4))).scored
    assert free.affordable(records, 1) == records
    assert free.another_draw(1e9, 9, 9, 9)
    assert free.seconds_for_refit(10**9) is None
    assert cuts(recorder) == []


def test_finalists_are_cut_to_those_there_is_time_to_score(recorder: Recorder, clock: Clock) -> None:
    # a rung was validated in a second by 96 paths; 250 and twice 1,000 take 23 s on one worker
    records = history(*(tell(candidate(k), 5000.0 + k) for k in range(4))).scored
    limited = FinalsClock(recorder, BUDGET)
    assert limited.affordable(records, 2) == records
    clock.now = 50.0
    assert limited.affordable(records, 2) == records[:2]
    assert limited.affordable(records, 1) == records[:1]
    clock.now = 200.0
    assert limited.affordable(records, 2) == records[:1], "one always goes on: the look is what all is for"
    assert cuts(recorder)[0] == (
        "The finals were cut to the time budget of 1:40: 2 of 4 finalists were scored on fresh validation prompts."
    )


def test_draws_and_trainings_leave_time_for_the_look(recorder: Recorder, clock: Clock) -> None:
    limited = FinalsClock(recorder, BUDGET)
    # 0.01 s a forecaster and prompt: 100 test prompts take 1.5 * 0.01 * 16 * 100 = 24 s, 6 * 50 fresh ones 4.5 s
    assert limited.another_draw(0.01, 6, 50, 100)
    clock.now = 74.0
    assert not limited.another_draw(0.01, 6, 50, 100)
    limited.note_draws(1)
    recorder.emit("chosen", name="c0000", challenger="c0000", best_single="c0000", best_baseline="fhs",
                  seconds_per_score=0.01)  # fmt: skip
    assert limited.seconds_for_refit(100) == pytest.approx(2.0)
    clock.now = 99.0
    assert limited.seconds_for_refit(100) == 0.0
    assert cuts(recorder) == [
        "The finals were cut to the time budget of 1:40: 1 of 2 draws stand behind each final score."
    ]


def test_a_network_that_was_not_trained_again_is_named(recorder: Recorder) -> None:
    records = history(*(tell(candidate(k), 5000.0) for k in range(2))).records
    note_refit(recorder, records, {"c0000": None, "c0001": None})  # type: ignore[dict-item]
    assert cuts(recorder) == []
    note_refit(recorder, records, {"c0000": None})  # type: ignore[dict-item]
    assert "c0001 went into the winner as the search trained it" in cuts(recorder)[0]


def test_more_than_the_share_is_kept_where_the_baselines_show_that_it_must_be(recorder: Recorder) -> None:
    assert reserve(recorder, BUDGET, 100, 100, 100) == 20.0
    recorder.emit("baselines", scores={"fhs": 1.0, "ewma": 1.1}, seconds=2.0)  # 0.01 s a baseline and prompt
    assert reserve(recorder, BUDGET, 100, 5, 10) == pytest.approx(20.0)
    assert reserve(recorder, BUDGET, 100, 10, 20) == pytest.approx(1.5 * 0.01 * 1000 / 250 * (16 * 20 + 8 * 2 * 10))
    recorder.emit("inputs", forecaster="har-inputs", inputs=[], seconds=15.0)
    assert reserve(recorder, BUDGET, 100, 1, 1) == 5.0, "what learning took is of the share"
    recorder.emit("forecasters", forecasters=[], seconds=5.0)
    assert reserve(recorder, BUDGET, 100, 0, 0) == 0.0, "and so is what asking forecasters took"
    looks = 1.5 * (0.01 * 1000 / 250 * 16 + 5.0 / 100 * 1000 / 250 * 9)  # quantised by eight draws each, and plain
    assert reserve(recorder, BUDGET, 100, 0, 10) == pytest.approx(10 * looks)
    recorder.emit("forecasters", forecasters=[], seconds=0.0)
    assert reserve(recorder, BUDGET, 100, 500, 500) == 50.0, "half is left to the search"
    assert reserve(recorder, replace(BUDGET, finals_share=0.7), 100, 500, 500) == 55.0, "unless it was asked otherwise"


def test_trials_may_take_what_is_not_kept_for_the_finals(recorder: Recorder, clock: Clock) -> None:
    data: Any = SimpleNamespace(validation_prompts=lambda fresh: [], test_prompts=lambda: [])
    assert TrialsClock(recorder, BudgetConfig(), data).left is None
    trials = TrialsClock(recorder, BUDGET, data)
    clock.now = 30.0
    assert (trials.left, trials.grace) == (50.0, 5.0)
    clock.now = 90.0
    assert trials.left == 0.0


def test_a_forecaster_is_mixed_where_half_of_what_is_left_is_enough_for_its_answers(
    recorder: Recorder, clock: Clock
) -> None:
    # 5 prompts of the search twice, 5 fresh ones on 2 seeds and 10 of the test in 9 parts, 1,000 paths being 4 answers
    data: Any = SimpleNamespace(validation_prompts=lambda fresh: [0] * 5, test_prompts=lambda: [0] * 10)
    trials = TrialsClock(recorder, BUDGET, data)
    assert TrialsClock(recorder, BudgetConfig(), data).affords(1e9)
    whole = 10 + 4 * 10 + 4 * 90
    assert trials.affords(0.99 * 100 / 2 / 1.5 / whole)
    assert not trials.affords(1.01 * 100 / 2 / 1.5 / whole)
    clock.now = 100.0
    assert not trials.affords(1e-9)
