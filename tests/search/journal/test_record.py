from __future__ import annotations

import pytest

from tests.search.builders import candidate, history, tell


def test_speed_and_time_are_of_what_was_trained() -> None:
    events = tell(candidate(0), 5500.0, 5400.0, seconds=4.0)
    for event, steps in zip(events[2:4], (100, 300), strict=True):
        event["steps"] = steps
    record = history(events).records[0]
    assert record.steps_per_second == pytest.approx(50.0)
    assert record.seconds == pytest.approx(10.0)
    waiting = history(tell(candidate(1), status="queued")).records[0]
    assert (waiting.steps_per_second, waiting.seconds, waiting.curve, waiting.last) == (None, 0.0, [], None)


def test_a_record_tells_the_trainers_figures_and_nothing_of_the_journal() -> None:
    events = tell(candidate(0), 5500.0)
    events[2] |= {"session": 1, "clock": 7.5, "train_loss": 0.9}
    (rung,) = history(events).records[0].to_dict()["rungs"]
    assert rung["train_loss"] == 0.9
    assert not {"kind", "id", "session", "clock"} & set(rung)


def test_the_end_of_a_trial_lies_in_the_time_of_the_run() -> None:
    begun = {"kind": "run_started", "time": 1e9, "session": 1, "clock": 1.0, "workers": 1}
    events = [begun, *({**event, "session": 1, "clock": 5.0 + at} for at, event in enumerate(tell(candidate(0), 1.0)))]
    assert history(events).records[0].elapsed == 8.0
