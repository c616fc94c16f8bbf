from __future__ import annotations

from dataclasses import replace

from synthcity.serve.answering.metrics import ANSWERS
from synthcity.serve.answering.tally import Roll, Status, Tally


def status(replica: int, answered: int, **troubles) -> Status:
    tally = Tally()
    for _ in range(answered):
        tally.record(ANSWERS, {"asset": "BTC", "route": "Simulation", "time_length": "3600", "fallback": "none"})
    return replace(tally.status(), replica=replica, bundle="a", **troubles)


def test_of_a_replica_that_is_gone_only_its_sums_stay():
    roll = Roll(quiet_seconds=10)
    ill = status(1, 5, problems=("the disk is full",), latencies=(9.0,))
    assert roll.hear(ill, 0.0).problems == ("the disk is full",)
    both = roll.hear(status(2, 1, latencies=(0.1,)), 9.0)
    assert (both.answered, both.problems) == ({"BTC": 6}, ("the disk is full",))
    later = roll.hear(status(2, 2, latencies=(0.1,)), 11.0)
    assert (later.answered, later.problems, later.latencies, later.bundle) == ({"BTC": 7}, (), (0.1,), "a")
