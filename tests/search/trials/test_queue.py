from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synthcity.errors import LLMAnswerError, RunError
from synthcity.search.arms import ArmState
from synthcity.search.candidates.candidate import Proposal
from synthcity.search.config import ArmConfig, BudgetConfig
from synthcity.search.journal.events import ProposerFailed, Stall
from synthcity.search.journal.history import TrialHistory
from synthcity.search.journal.journal import Journal
from synthcity.search.journal.recorder import Recorder
from synthcity.search.proposers import make_arms
from tests.search.builders import config
from tests.search.trials.feeds import SPACE, drive, finish, make_feed, pop, wait_for


def test_hands_out_defaults_first_and_stops_at_the_budget(recorder: Recorder) -> None:
    listed = [("one", config()), ("two", config(blocks=[{"name": "tcn"}]))]
    handed = drive(recorder, make_feed(recorder, BudgetConfig(trials=6), defaults=listed))
    assert handed == [f"c{index:04d}" for index in range(6)]
    sources = [record.candidate.source for record in recorder.history.records]
    assert sources[:2] == ["defaults", "defaults"]
    assert set(sources[2:]) <= {"gp", "tpe", "refine", "random"}


def test_without_arms_it_ends_after_the_hand_written(recorder: Recorder) -> None:
    listed = [("one", config()), ("again", config()), ("two", config(head={"name": "sde"}))]
    budget = BudgetConfig(trials=3, candidates=("one", "again", "two"), arms={}, deterministic=True, generation=3)
    drive(recorder, make_feed(recorder, budget, defaults=listed))
    assert [record.candidate.rationale for record in recorder.history.records] == [
        "hand-written: one",
        "hand-written: two",
    ]
    assert [rejection.stage for rejection in recorder.history.rejections] == ["duplicate"]


def test_keeps_only_as_many_waiting_as_there_are_workers(recorder: Recorder) -> None:
    feed = make_feed(recorder, BudgetConfig(trials=20))
    feed.start()
    wait_for(lambda: len(recorder.history.trials) == 2)
    time.sleep(0.1)
    assert len(recorder.history.trials) == 2
    assert pop(feed) == "c0000"
    wait_for(lambda: len(recorder.history.trials) == 3)
    feed.join()


def test_a_slow_proposer_never_holds_up_pop(recorder: Recorder) -> None:
    class Slow:
        name = "random"

        def propose(self, count: int, history: TrialHistory, rng: np.random.Generator) -> list[Proposal]:
            time.sleep(0.5)
            return [Proposal(config=SPACE.sample(rng))]

    feed = make_feed(recorder, BudgetConfig(trials=2), arms={"random": Slow()})
    feed.start()
    begin = time.monotonic()
    assert feed.pop() is None
    assert time.monotonic() - begin < 0.2
    assert not feed.done
    assert pop(feed) == "c0000"
    feed.join()


def test_unfinished_candidates_of_an_earlier_session_come_first(recorder: Recorder) -> None:
    budget = BudgetConfig(trials=5)
    feed = make_feed(recorder, budget)
    feed.start()
    first, second = pop(feed), pop(feed)
    assert first is not None
    finish(recorder, feed, first)
    wait_for(lambda: len(recorder.history.trials) >= 4)
    feed.join()
    known = list(recorder.history.trials)
    again = drive(recorder, make_feed(recorder, budget))
    assert again[0] == second
    assert first not in again
    assert sorted([first, *again]) == [f"c{index:04d}" for index in range(5)]
    assert list(recorder.history.trials)[: len(known)] == known


def test_rejections_are_recorded_and_free(recorder: Recorder) -> None:
    class Stubborn:
        name = "random"

        def propose(self, count: int, history: TrialHistory, rng: np.random.Generator) -> list[Proposal]:
            return [Proposal(config=config())]

    handed = drive(recorder, make_feed(recorder, BudgetConfig(trials=3), arms={"random": Stubborn()}))
    assert handed == ["c0000"]
    assert {rejection.stage for rejection in recorder.history.rejections} == {"duplicate"}


def test_a_proposer_that_keeps_failing_is_closed_and_the_others_go_on(recorder: Recorder) -> None:
    class Broken:
        name = "tpe"

        def propose(self, count: int, history: TrialHistory, rng: np.random.Generator) -> list[Proposal]:
            raise RuntimeError("no answer")

    arms = {"tpe": Broken(), **make_arms(["random"], SPACE)}
    handed = drive(recorder, make_feed(recorder, BudgetConfig(trials=4), arms=arms))
    assert len(handed) == 4
    failures = recorder.all(ProposerFailed)
    assert [(event["source"], event["error"]) for event in failures] == [("tpe", "no answer")] * 3


def test_spoilt_answers_close_an_arm_later_than_errors_of_its_own(recorder: Recorder) -> None:
    class Spoilt(Thinking):
        def propose(self, count: int, history: TrialHistory, rng: np.random.Generator) -> list[Proposal]:
            raise LLMAnswerError("no JSON")

    arms = {"tpe": Spoilt(), **make_arms(["random"], SPACE)}
    drive(recorder, make_feed(recorder, BudgetConfig(trials=14), arms=arms))
    assert len(recorder.all(ProposerFailed)) == 10
    assert recorder.history.arms["tpe"].reason == "10 errors in a row, the last: no JSON"


def test_a_journal_that_fails_ends_the_feed(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(kind: str, **fields: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(recorder, "emit", full)
    feed = make_feed(recorder, BudgetConfig(trials=3))
    feed.start()
    wait_for(lambda: feed.done)
    assert isinstance(feed.failure, OSError)


@pytest.mark.parametrize("how", [{"parallel": 1}, {"parallel": 4}, {"parallel": 3, "newest_first": True}])
def test_deterministic_candidates_do_not_depend_on_who_was_faster(
    tmp_path: Path, recorder: Recorder, how: dict[str, Any]
) -> None:
    budget = BudgetConfig(trials=14, deterministic=True, generation=4, seed=3)
    drive(recorder, make_feed(recorder, budget))
    with Journal(tmp_path / "other") as journal:
        other = Recorder(journal)
        drive(other, make_feed(other, budget), **how)
        assert [r.candidate for r in other.history.records] == [r.candidate for r in recorder.history.records]


@pytest.mark.parametrize("stop_after", [1, 5, 6, 9])
def test_deterministic_candidates_survive_a_restart(tmp_path: Path, recorder: Recorder, stop_after: int) -> None:
    budget = BudgetConfig(trials=12, deterministic=True, generation=4, seed=3)
    drive(recorder, make_feed(recorder, budget))
    with Journal(tmp_path / "other") as journal:
        other = Recorder(journal)
        feed = make_feed(other, budget)
        feed.start()
        for _ in range(stop_after):
            name = pop(feed)
            assert name is not None
            finish(other, feed, name)
        feed.join()
        drive(other, make_feed(other, budget), newest_first=True)
        assert [r.candidate for r in other.history.records] == [r.candidate for r in recorder.history.records]


def test_another_seed_gives_other_candidates(tmp_path: Path, recorder: Recorder) -> None:
    drive(recorder, make_feed(recorder, BudgetConfig(trials=3, seed=1)))
    with Journal(tmp_path / "other") as journal:
        other = Recorder(journal)
        drive(other, make_feed(other, BudgetConfig(trials=3, seed=2)))
        hashes = [{r.candidate.hash for r in each.history.records} for each in (recorder, other)]
        assert not hashes[0] & hashes[1]


def test_what_a_lost_loop_was_running_is_put_back_first_and_once(recorder: Recorder) -> None:
    feed = make_feed(recorder, BudgetConfig(trials=4))
    feed.start()
    first, second = pop(feed), pop(feed)
    wait_for(lambda: len(recorder.history.trials) == 4)
    feed.put_back()
    feed.put_back()
    assert [pop(feed) for _ in range(5)] == [first, second, "c0002", "c0003", None]
    feed.join()


class Thinking:
    """Proposes nothing until it is told to."""

    name = "tpe"

    def __init__(self) -> None:
        self.standing = ArmState()
        self.ready: list[Proposal] = []
        self.closed = False

    def propose(self, count: int, history: TrialHistory, rng: np.random.Generator) -> list[Proposal]:
        return [self.ready.pop()] if self.ready else []

    def close(self) -> None:
        self.closed = True


def test_an_arm_that_thinks_loses_its_turn_and_stays_open(recorder: Recorder) -> None:
    arm = Thinking()
    drive(recorder, make_feed(recorder, BudgetConfig(trials=4), arms={"tpe": arm, **make_arms(["random"], SPACE)}))
    assert {record.candidate.source for record in recorder.history.records} == {"random"}
    assert recorder.history.arms == {}
    assert arm.closed


def test_the_state_of_arms_is_journalled_and_stands_beside_each_candidate(recorder: Recorder) -> None:
    arm = Thinking()
    arm.standing = ArmState(state="resting", reason="overloaded")
    drive(recorder, make_feed(recorder, BudgetConfig(trials=2), arms={"tpe": arm, **make_arms(["random"], SPACE)}))
    assert TrialHistory.replay(recorder.events).arms == {"tpe": arm.standing}
    assert [dict(r.candidate.arms) for r in recorder.history.records] == [{"tpe": "resting", "random": "open"}] * 2


def test_an_arm_that_alone_is_open_is_waited_for(recorder: Recorder) -> None:
    arm = Thinking()
    feed = make_feed(recorder, BudgetConfig(trials=1), arms={"tpe": arm})
    feed.start()
    assert feed.pop() is None
    assert not feed.done
    arm.ready.append(Proposal(config=config()))
    assert pop(feed) == "c0000"
    feed.join()


def test_the_incumbent_is_run_again_where_a_model_is_asked_and_the_model_rests_when_nothing_helps(
    recorder: Recorder,
) -> None:
    asked: list[int] = []

    class Model(Thinking):
        name = "llm.refine"

        def propose(self, count: int, history: TrialHistory, rng: np.random.Generator) -> list[Proposal]:
            asked.append(len(history.trials))
            return []

    budget = BudgetConfig(
        trials=60, arms={"llm.refine": ArmConfig(share=0.4, ceiling=0.4), "random": ArmConfig(share=0.6)}
    )
    arms = {"llm.refine": Model(), **make_arms(["random"], SPACE)}
    feed = make_feed(recorder, budget, arms=arms)
    feed.start()
    number = 0
    while (name := pop(feed)) is not None:
        recorder.emit("trial_started", id=name, from_rung=0)
        score = 5000.0 + number
        recorder.emit("rung", id=name, rung=1, num_rungs=1, score=score, train_seconds=1.0, validation_seconds=0.1)
        recorder.emit("trial_finished", id=name, status="completed")
        number += 1
        feed.wake()
    feed.join()
    assert feed.failure is None
    reruns = [record.candidate for record in recorder.history.records if record.candidate.source == "rerun"]
    assert [candidate.parent for candidate in reruns][:3] == ["c0000", "c0001", "c0002"]
    assert len(reruns) <= 15
    levels = [event["level"] for event in recorder.all(Stall)]
    assert levels == [1, 2, 3, 4]
    rested = next(i for i, event in enumerate(recorder.events) if event["kind"] == "stall" and event["level"] == 4)
    before = sum(event["kind"] == "candidate" for event in recorder.events[:rested])
    assert asked
    assert max(asked) <= before


def test_what_lost_its_worker_comes_before_all_that_waits_and_in_the_order_of_admission(recorder: Recorder) -> None:
    listed = [(f"rate {k}", config(training={"learning_rate": 1e-3 + 1e-4 * k})) for k in range(4)]
    budget = BudgetConfig(trials=4, deterministic=True, generation=4)
    feed = make_feed(recorder, budget, defaults=listed)
    feed.start()
    wait_for(lambda: len(recorder.history.trials) == 4)
    first, second = feed.pop(), feed.pop()
    assert first is not None
    assert second is not None
    feed.retry(second)
    assert [pop(feed), pop(feed)] == ["c0001", "c0002"]
    finish(recorder, feed, "c0001")
    feed.put_back()
    assert [pop(feed), pop(feed), pop(feed)] == ["c0000", "c0002", "c0003"]
    feed.join()


def test_patience_ends_a_search_that_finds_nothing_and_is_told(recorder: Recorder) -> None:
    budget = BudgetConfig(trials=50, patience=4, arms={"random": ArmConfig(share=1.0)})
    feed = make_feed(recorder, budget, arms=make_arms(["random"], SPACE), defaults=[("one", config())])
    feed.start()
    while (name := pop(feed)) is not None:
        recorder.emit("trial_started", id=name, from_rung=0)
        recorder.emit("rung", id=name, rung=1, num_rungs=1, score=5000.0, blocks=[[5000.0, 1.0], [5000.0, 1.0]])
        recorder.emit("trial_finished", id=name, status="completed")
        feed.wake()
    feed.join()
    assert feed.failure is None
    assert 5 <= len(recorder.history.trials) <= 9, "two wait for each worker"
    assert "none of the last" in recorder.history.stage


def test_a_journal_that_fails_as_patience_ends_the_search_ends_the_feed(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(kind: str, **fields: Any) -> None:
        raise RunError("the disk is full")

    feed = make_feed(recorder, BudgetConfig(trials=9, patience=4, arms={"random": ArmConfig(share=1.0)}))
    monkeypatch.setattr(feed, "_wait_for_room", lambda: False)
    monkeypatch.setattr(recorder, "emit", full)
    feed._fruitless = 4
    feed.start()
    wait_for(lambda: feed.done)
    assert isinstance(feed.failure, RunError)
