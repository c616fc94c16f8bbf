"""What the simulation of many workers counts; the simulation itself takes minutes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks.scaling import Clock, TimedJournal, _counted, read_back
from benchmarks.sleeper import Sleeper


def test_a_journal_is_written_and_read_whole(tmp_path: Path) -> None:
    size, seconds = read_back(20, tmp_path)
    assert 0.05 < size < 0.2
    assert seconds < 2.0


def test_only_the_time_in_which_all_have_begun_and_more_wait_counts(tmp_path: Path) -> None:
    def trial(name: str, begin: float, end: float) -> list[dict[str, Any]]:
        return [
            {"kind": "trial_started", "id": name, "clock": begin},
            {"kind": "rung", "id": name, "clock": end, "seconds": end - begin - 1},
            {"kind": "trial_finished", "id": name, "clock": end},
        ]

    told = [*trial("a", 0, 21), *trial("b", 10, 31), *trial("c", 22, 43), *trial("d", 33, 54)]
    events: Any = sorted(told, key=lambda event: event["clock"])
    with TimedJournal(tmp_path) as journal:
        clock = Clock(journal)
        clock.marks = [(0.0, 1.0, 0.0), (10.0, 2.0, 0.5), (22.0, 2.5, 0.75), (33.0, 4.0, 1.0)]
        found = _counted(events, clock, 2)
    # from 10 to 33: a trained until 21, b from 11 to 31, c from 23
    assert found.share == pytest.approx((11 + 20 + 10) / (2 * 23))
    assert (found.trials, found.driver_ms, found.journal_ms) == (2, 1000.0, 250.0)
    assert found.wait == 2.0


def test_the_sleeper_goes_on_from_its_state() -> None:
    config = {"training": {"learning_rate": 1e-3}}

    def sleeper(state: bytes | None = None) -> Sleeper:
        return Sleeper(config, {"seconds": 0.0}, seed=1, num_rungs=3, max_steps=90, state=state)

    first = sleeper()
    figures = [first.advance()]
    again = sleeper(first.state())
    figures += [again.advance(), again.advance()]
    assert [told["steps"] for told in figures] == [30, 60, 90]
    assert [told["done"] for told in figures] == [False, False, True]
    assert figures[0]["score"] > figures[2]["score"]
