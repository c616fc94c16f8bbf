from __future__ import annotations

import threading
from concurrent.futures import Future

import pytest

from synthcity.serve.answering.fair import FairPool, Shares


@pytest.fixture
def pool():
    made = FairPool(1, "test")
    yield made
    made.close()


def _hold(pool: FairPool) -> threading.Event:
    """Keep the one thread busy until the event is set."""
    begun, released = threading.Event(), threading.Event()
    pool.submit("holder", lambda: (begun.set(), released.wait(20)))
    assert begun.wait(20)
    return released


def test_callers_are_served_in_turn_and_each_in_order(pool: FairPool):
    released, served = _hold(pool), list[str]()
    tasks = [pool.submit("greedy", lambda k=k: served.append(f"greedy {k}")) for k in range(5)]
    tasks += [pool.submit(name, lambda name=name: served.append(name)) for name in ("modest", "patient")]
    released.set()
    for task in tasks:
        task.result(20)
    assert served == ["greedy 0", "modest", "patient", "greedy 1", "greedy 2", "greedy 3", "greedy 4"]


def test_a_failure_is_told_to_whoever_waits_and_the_thread_goes_on(pool: FairPool):
    with pytest.raises(ZeroDivisionError):
        pool.submit("one", lambda: 1 // 0).result(20)
    assert pool.submit("one", lambda: 7).result(20) == 7


def test_what_is_cancelled_before_its_turn_never_begins(pool: FairPool):
    released, begun = _hold(pool), list[int]()
    cancelled, kept = pool.submit("a", lambda: begun.append(1)), pool.submit("a", lambda: begun.append(2))
    assert cancelled.cancel()
    released.set()
    kept.result(20)
    assert begun == [2]


@pytest.mark.parametrize(("seconds", "is_done"), [(0.0, False), (20.0, True)])
def test_closing_works_on_what_waits_as_long_as_it_may(pool: FairPool, seconds: float, is_done: bool):
    released = _hold(pool)
    waiting: Future[int] = pool.submit("a", lambda: 1)
    threading.Timer(0.0 if seconds else 1.0, released.set).start()
    pool.close(seconds=seconds)
    assert (waiting.done() and not waiting.cancelled()) == is_done
    with pytest.raises(RuntimeError, match="closed"):
        pool.submit("a", lambda: 1)


def test_a_full_house_still_has_room_for_who_has_less_than_a_share():
    shares = Shares(4)
    for _ in range(4):
        assert shares.has_room("greedy")
        shares.take("greedy")
    assert not shares.has_room("greedy")
    assert shares.has_room("modest")
    shares.take("modest")
    assert shares.num_held("modest") == 1
    shares.take("modest")
    assert not shares.has_room("modest"), "two of four is its share"
    for _ in range(3):
        shares.give_back("greedy")
    assert shares.has_room("greedy")


def test_however_many_callers_there_are_a_full_house_ends():
    shares = Shares(4)
    for number in range(100):
        if shares.has_room(f"caller {number}"):
            shares.take(f"caller {number}")
    assert sum(shares.num_held(f"caller {number}") for number in range(100)) <= 8
