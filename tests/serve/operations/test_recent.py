from __future__ import annotations

from synthcity.serve.answering.metrics import ANSWERS, REFUSALS
from synthcity.serve.operations.recent import Recent
from tests.serve.operations.look import counted


def test_only_the_last_ten_minutes_count():
    recent = Recent()
    recent.of(0.0, counted().figures())
    for minute in range(1, 21):
        found, seconds = recent.of(60.0 * minute, counted(answers={"none": minute}).figures())
    assert (found.by(ANSWERS, "asset"), seconds) == ({"BTC": 10}, 600.0)


def test_replicas_that_begin_anew_are_counted_from_nothing():
    recent = Recent()
    recent.of(0.0, counted(answers={"none": 50}).figures())
    found, _ = recent.of(60.0, counted(answers={"none": 2}, refusals={"old": 1}).figures())
    assert (found.by(ANSWERS, "asset"), found.by(REFUSALS, "reason")) == ({"BTC": 2}, {"old": 1})


def test_looks_in_quick_succession_take_no_memory():
    recent = Recent()
    for second in range(3000):
        recent.of(float(second), counted().figures())
    assert len(recent._seen) <= 62
