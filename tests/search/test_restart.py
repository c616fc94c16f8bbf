"""A broken loop of Ray Tune is started afresh; a lost Ray is not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import ray

from synthcity.errors import Fatal, RunError
from synthcity.search.journal.journal import Journal
from synthcity.search.journal.recorder import Recorder
from synthcity.search.journal.surroundings import TuneLost
from synthcity.search.trials import tuning


class FakeFeed:
    def __init__(self) -> None:
        self.put_backs = 0
        self.failure: BaseException | None = None

    def put_back(self) -> None:
        self.put_backs += 1


@pytest.fixture
def recorder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorder]:
    monkeypatch.setattr(ray, "is_initialized", lambda: True)
    with Journal(tmp_path / "run") as journal:
        yield Recorder(journal)


def failing(times: int, error: Exception) -> tuple[list[int], object]:
    calls: list[int] = []

    def fit() -> None:
        calls.append(1)
        if len(calls) <= times:
            raise error

    return calls, fit


def test_a_worker_killed_for_memory_costs_a_restart_and_is_on_record(recorder: Recorder):
    feed = FakeFeed()
    calls, fit = failing(2, RuntimeError("2 worker(s) were killed due to the node running low on memory"))
    tuning._fit_again_when_lost(fit, recorder, feed)
    assert len(calls) == 3
    assert feed.put_backs == 2
    assert "low on memory" in recorder.all(TuneLost)[0]["error"]


def test_it_gives_up_after_a_few_and_says_how_to_go_on(recorder: Recorder):
    calls, fit = failing(99, RuntimeError("broken"))
    with pytest.raises(Fatal, match="broken; continue with --resume"):
        tuning._fit_again_when_lost(fit, recorder, FakeFeed())
    assert len(calls) == 4


def test_a_lost_ray_is_not_tried_again(recorder: Recorder, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    calls, fit = failing(1, RuntimeError("gone"))
    with pytest.raises(Fatal):
        tuning._fit_again_when_lost(fit, recorder, FakeFeed())
    assert len(calls) == 1


def test_a_journal_that_cannot_be_written_ends_the_search_at_once(recorder: Recorder):
    calls, fit = failing(1, RunError("the disk is full"))
    with pytest.raises(RunError):
        tuning._fit_again_when_lost(fit, recorder, FakeFeed())
    assert len(calls) == 1
