"""The loop with work that is done in no time."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from synthcity.durations import DAY, HOUR
from synthcity.errors import ConfigError, DataError, Fatal, PublishError, RunError, SourceError
from synthcity.pipeline.config import PipelineConfig
from synthcity.pipeline.events import Waiting
from synthcity.pipeline.journal import read_state
from synthcity.pipeline.loop import STOP, describe, run_loop
from synthcity.pipeline.state import State
from tests.pipeline.standin import CONFIG, START, Fault, StandIn, began, story


class Killed(BaseException):
    """As if the process were gone."""


def kill_at(step: str, *, once: bool = True) -> Fault:
    left = [1]

    def fault(now: str, state: State) -> None:
        if now == step and left:
            left.clear() if once else None
            raise Killed

    return fault


def failing(step: str, error: Exception, times: int = 1) -> Fault:
    left = [error] * times

    def fault(now: str, state: State) -> None:
        if now == step and left:
            raise left.pop()

    return fault


def run(folder: Path, config: PipelineConfig = CONFIG, *, resume: bool = False, **work: object) -> State:
    return run_loop(folder, config, StandIn(folder, **work), resume=resume)  # type: ignore[arg-type]


def test_rounds_go_from_prices_to_a_challenger_and_to_the_next(tmp_path: Path) -> None:
    state = run(tmp_path)
    assert [one.ended.outcome for one in state.rounds if one.ended] == ["proven"] * 3
    assert state.stopped == "3 rounds are done"
    work = StandIn(tmp_path)
    assert work.paid() == ["round-1-1", "round-2-1", "round-3-1"]
    assert work.commits() == ["[round 1]", "[round 2]", "[round 3]"]
    tests = [one.began.periods.test for one in state.rounds]
    assert all(before.end <= after.start for before, after in pairwise(tests)), "each looked at once"
    assert [one.began.look for one in state.rounds] == [1, 1, 1], "each has a new champion to beat"


TWO = replace(CONFIG, rounds=2)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pipeline that nothing disturbed."""
    folder = tmp_path_factory.mktemp("whole")
    run(folder, TWO)
    return folder


STEPS = ("news", "begin", "plan", "search", "search done", "check", "publish", "publish done", "deploy", "deploy done")


@pytest.mark.parametrize("step", STEPS)
def test_a_kill_anywhere_repeats_nothing_and_changes_nothing(step: str, whole: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut"
    with pytest.raises(Killed):
        run(cut, TWO, fault=kill_at(step))
    run(cut, TWO, resume=True)
    assert story(cut) == story(whole)
    assert StandIn(cut).paid() == StandIn(whole).paid()
    assert StandIn(cut).commits() == StandIn(whole).commits()


def test_what_another_plan_may_cure_is_planned_again(tmp_path: Path) -> None:
    state = run(tmp_path, fault=failing("search", Fatal("no candidate was trained"), 2))
    assert [one.reason for one in state.rounds[0].failed] == ["no candidate was trained"] * 2
    assert len(state.rounds[0].planned) == 3


def test_three_failed_rounds_end_it(tmp_path: Path) -> None:
    config = replace(CONFIG, rounds=None, retries=1)
    with pytest.raises(Fatal, match="3 rounds failed in a row, the last one since nothing trains"):
        run(tmp_path, config, fault=failing("search", Fatal("nothing trains"), 99))
    assert len(read_state(tmp_path).rounds) == 3


@pytest.mark.parametrize("error", [SourceError("the venue is away"), PublishError("the Hub is away")])
def test_trouble_that_passes_is_waited_for(error: Exception, tmp_path: Path) -> None:
    work = StandIn(tmp_path, fault=failing("publish", error, 2))
    state = run_loop(tmp_path, CONFIG, work)
    assert [one.ended.outcome for one in state.rounds if one.ended] == ["proven"] * 3
    assert work.commits() == ["[round 1]", "[round 2]", "[round 3]"]
    text = (tmp_path / "pipeline.jsonl").read_text()
    assert text.count('"kind":"troubled"') == 2


def test_trouble_that_does_not_pass_ends_it_and_the_step_is_tried_again_later(tmp_path: Path) -> None:
    config = replace(CONFIG, retries=2)
    with pytest.raises(Fatal, match="publish met the same trouble 3 times in a row: the Hub is away"):
        run(tmp_path, config, fault=failing("publish", PublishError("the Hub is away"), 99))
    state = run(tmp_path, config, resume=True)
    assert (len(state.rounds), StandIn(tmp_path).paid()[0]) == (3, "round-1-1")


@pytest.mark.parametrize("error", [DataError("no prices"), RunError("the disk is full"), ConfigError("no token")])
def test_what_nothing_cures_stops_at_once_with_its_reason(error: Exception, tmp_path: Path) -> None:
    with pytest.raises(type(error), match=str(error)):
        run(tmp_path, fault=failing("check", error))
    assert read_state(tmp_path).stopped == str(error)
    assert run(tmp_path, resume=True).stopped == "3 rounds are done"


def test_nothing_unproven_is_published_or_deployed(tmp_path: Path) -> None:
    state = run(tmp_path, skill=lambda number: None)
    assert [one.ended.outcome for one in state.rounds if one.ended] == ["nothing proven"] * 3
    assert [one.began.look for one in state.rounds] == [1, 2, 3]
    assert not (tmp_path / "hub").exists()
    assert not (tmp_path / "miner").exists()


def test_a_stop_file_and_a_signal_end_it_between_steps(tmp_path: Path) -> None:
    (tmp_path / STOP).touch()
    assert "remove it and resume" in str(run(tmp_path).stopped)
    (tmp_path / STOP).unlink()

    def interrupt(step: str, state: State) -> None:
        if step == "search":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, fault=interrupt, resume=True)
    assert read_state(tmp_path).stopped == "stopped by Ctrl-C or SIGTERM"
    assert len(run(tmp_path, resume=True).rounds) == 3


def test_a_stop_file_ends_a_wait(tmp_path: Path) -> None:
    class Slow(StandIn):
        """A clock that goes on by itself, as the machine's does."""

        time = 0.0

        def now(self, state: State) -> float:
            return super().now(State()) + Slow.time

        def wait(self, until: float) -> None:
            Slow.time += 30.0
            if Slow.time > 600:
                (tmp_path / STOP).touch()

    state = run_loop(tmp_path, CONFIG, Slow(tmp_path, skill=lambda number: None))
    assert state.waiting is not None
    assert "remove it and resume" in str(state.stopped)
    assert 600 < Slow.time < 700


def test_a_folder_is_resumed_on_purpose_and_as_what_it_is(tmp_path: Path) -> None:
    run(tmp_path)
    with pytest.raises(RunError, match="holds a pipeline; add --resume to go on"):
        run(tmp_path)

    class Other(StandIn):
        def opened(self):  # type: ignore[no-untyped-def]
            return replace(super().opened(), world="")

    with pytest.raises(RunError, match=r"is of crypto-24h \(REHEARSAL\), and this one of crypto-24h; name another"):
        run_loop(tmp_path, CONFIG, Other(tmp_path), resume=True)
    assert run(tmp_path, resume=True).stopped == "3 rounds are done"


def test_a_clock_that_is_set_back_while_something_is_waited_for_is_asked_anew(tmp_path: Path) -> None:
    class SetBack(StandIn):
        """A clock that was a year ahead until the first wait."""

        ahead, asked = 366.0 * DAY, 0

        def now(self, state: State) -> float:
            return START + 400 * DAY + SetBack.ahead

        def begin(self, state: State) -> Waiting:
            SetBack.asked += 1
            if SetBack.asked == 2:
                (tmp_path / STOP).touch()
            return Waiting(until=self.now(state) + 12 * HOUR, reason="it is too early")

        def wait(self, until: float) -> None:
            assert SetBack.asked == 1, "it waits for a day of the future"
            SetBack.ahead = 0.0

    run_loop(tmp_path, CONFIG, SetBack(tmp_path))
    assert SetBack.asked == 2


@pytest.mark.parametrize(("look", "told"), [(1, "look 1 at level 0.018"), (30, "look 30 at level 2e-05")])
def test_the_level_of_a_late_look_is_told_as_more_than_nothing(look: int, told: str) -> None:
    assert told in describe(began(look=look))
