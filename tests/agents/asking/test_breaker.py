from __future__ import annotations

import pickle

import pytest

from synthcity.agents.asking.breaker import Availability, Breaker
from synthcity.errors import LLMRefused, LLMUnavailable


def test_failures_in_a_row_make_it_rest_and_one_success_forgets_them() -> None:
    breaker = Breaker(3, 600)
    for _ in range(2):
        breaker.failed(0, "down")
    breaker.succeeded()
    for _ in range(2):
        breaker.failed(0, "down")
    breaker.check(0)
    breaker.failed(0, "still down")
    assert breaker.state(599) == Availability(False, "still down", 600)
    with pytest.raises(LLMUnavailable, match="left alone until 1970-01-01 00:10:00 UTC: still down"):
        breaker.check(599)
    breaker.check(600)
    breaker.failed(600, "down again")  # one probe is enough
    assert not breaker.state(1199).ready
    breaker.check(1200)
    breaker.succeeded()
    breaker.failed(1200, "once")
    breaker.check(1200)


def test_a_stop_is_for_good_and_the_longer_rest_counts() -> None:
    breaker = Breaker(3, 600)
    breaker.rest(100, "quota")
    breaker.rest(50, "shorter")
    assert breaker.state(60) == Availability(False, "quota", 100)
    breaker.stop("wrong key")
    breaker.rest(1e12, "longer")
    breaker.stop("another")
    with pytest.raises(LLMRefused, match="not asked any more: wrong key"):
        breaker.check(1e12)
    assert pickle.loads(pickle.dumps(breaker)).state(0) == Availability(False, "wrong key", None)


def test_states_read_well() -> None:
    assert str(Availability(True)) == "ready"
    assert str(Availability(False, "wrong key")) == "stopped: wrong key"
    assert str(Availability(False, "slow", 0)) == "resting until 1970-01-01 00:00:00 UTC: slow"
    assert "no calendar" in str(Availability(False, "slow", 1e300))
