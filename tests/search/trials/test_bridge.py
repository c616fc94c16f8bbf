from __future__ import annotations

import pickle
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ray.tune.search import Searcher

from synthcity.search.candidates.candidate import Candidate
from synthcity.search.config import BudgetConfig
from synthcity.search.journal.journal import Journal
from synthcity.search.journal.recorder import Recorder
from synthcity.search.trials.bridge import (
    MAX_NODES_LOST,
    MAX_WORKER_DEATHS,
    Deadlines,
    Halving,
    QueueSearcher,
    Watch,
)
from synthcity.search.trials.trainable import STATE_FILE, Task
from tests.search.builders import candidate, tell
from tests.search.order import assert_before, recorded


class GivenFeed:
    """A feed whose content is given."""

    def __init__(self, *queue: Candidate) -> None:
        self.queue = list(queue)
        self.done = False
        self.failure: BaseException | None = None
        self.closed = False
        self.secret = "key-of-a-proposer"

    def pop(self) -> Candidate | None:
        return self.queue.pop(0) if self.queue else None

    def retry(self, lost: Candidate) -> None:
        self.queue.insert(0, lost)

    def wake(self) -> None:
        pass

    def fail(self, error: BaseException) -> None:
        self.failure = error

    def close(self) -> None:
        self.closed = True


class GivenMachines:
    """Machines of which those in ``lost`` are there no more; each costs 3.60 USD an hour for a trial."""

    def __init__(self, *lost: str, is_elsewhere: bool = False) -> None:
        self.lost, self.is_elsewhere = lost, is_elsewhere

    def is_lost(self, node: str | None) -> bool:
        return node in self.lost

    def spent(self, node: str, seconds: float) -> dict[str, float]:
        return {"usd": 0.001 * seconds, "gpu_seconds": seconds}


@pytest.fixture
def recorder(tmp_path: Path) -> Any:
    with Journal(tmp_path) as journal:
        yield Recorder(journal)


def trial(name: str, error_file: Path | None = None) -> Any:
    return SimpleNamespace(config={"task": {"candidate": name}}, error_file=error_file)


def task(name: str) -> Task:
    return Task(candidate=name, config={}, seed=0, num_rungs=4, max_steps=100)


def record(recorder: Recorder, *trials: list[dict[str, Any]]) -> None:
    for events in trials:
        for event in events:
            recorder.emit(event["kind"], **{k: v for k, v in event.items() if k not in ("kind", "time")})


def make_watch(recorder: Recorder, feed: Any, halving: Halving) -> Watch:
    return Watch(recorder, feed, halving, GivenMachines(), 4, "/runs/x/checkpoints")  # type: ignore[arg-type]


def test_searcher_pops_waits_and_finishes_only_when_nothing_runs(recorder: Recorder) -> None:
    feed: Any = GivenFeed(candidate(0))
    searcher = QueueSearcher(feed, recorder, task)
    assert searcher.suggest("t1")["task"]["candidate"] == "c0000"
    assert searcher.suggest("t2") is None
    feed.done = True
    assert searcher.suggest("t2") is None, "a lost worker may put its candidate back"
    searcher.on_trial_complete("t1", error=True)
    assert searcher.suggest("t2") == Searcher.FINISHED


def test_ray_pickles_shells_without_secrets_or_locks(recorder: Recorder) -> None:
    feed: Any = GivenFeed()
    halving = Halving(recorder, BudgetConfig(), None)
    parts = [
        QueueSearcher(feed, recorder, task),
        halving,
        make_watch(recorder, feed, halving),
        Deadlines(feed, 1.0, 2.0),
    ]
    for part in parts:
        text = pickle.dumps(part)
        assert b"key-of-a-proposer" not in text
        assert type(pickle.loads(text)) is type(part)


def test_a_lost_worker_puts_its_candidate_back_until_it_is_hopeless(recorder: Recorder) -> None:
    record(recorder, tell(candidate(0), 5500.0, status="running"))
    feed: Any = GivenFeed()
    watch = make_watch(recorder, feed, Halving(recorder, BudgetConfig(), None))
    for death in range(1, MAX_WORKER_DEATHS):
        watch.on_trial_error(0, [], trial("c0000"))
        assert [feed.pop()] == [candidate(0)]
        assert recorder.history.trials["c0000"].worker_deaths == death
    watch.on_trial_error(0, [], trial("c0000"))
    assert feed.pop() is None
    failed = recorder.history.trials["c0000"]
    assert failed.status == "failed"
    assert failed.failure is not None
    assert failed.failure["class"] == "WorkerDied"


LOSS = "Failure # {} (occurred at noon)\nThe actor died because its {}.\n"


def test_a_lost_machine_is_no_failure_of_its_candidate(recorder: Recorder, tmp_path: Path) -> None:
    record(recorder, tell(candidate(0), 5500.0, status="running"))
    feed: Any = GivenFeed()
    watch = make_watch(recorder, feed, Halving(recorder, BudgetConfig(), None))
    error_file = tmp_path / "error.txt"
    error_file.write_text(LOSS.format(1, "worker died") + LOSS.format(2, "node has died"))
    for _ in range(2 * MAX_WORKER_DEATHS):
        watch.on_trial_error(0, [], trial("c0000", error_file))
        assert [feed.pop()] == [candidate(0)]
    watch.on_trial_recover(0, [], trial("c0000", error_file))
    error_file.write_text(LOSS.format(2, "node has died") + LOSS.format(3, "worker died"))
    watch.on_trial_recover(0, [], trial("c0000", error_file))
    found = recorder.history.trials["c0000"]
    assert (found.nodes_lost, found.worker_deaths, found.status) == (2 * MAX_WORKER_DEATHS + 1, 1, "running")
    assert len(recorder.history.troubles) == found.nodes_lost + 1


@pytest.mark.parametrize("is_elsewhere", [True, False])
def test_a_connection_that_breaks_is_no_failure_of_a_candidate_elsewhere(
    recorder: Recorder, tmp_path: Path, is_elsewhere: bool
) -> None:
    record(recorder, tell(candidate(0), 5500.0, status="running"))
    feed: Any = GivenFeed()
    machines: Any = GivenMachines(is_elsewhere=is_elsewhere)
    watch = Watch(recorder, feed, Halving(recorder, BudgetConfig(), None), machines, 4, "/runs/x/checkpoints")
    error_file = tmp_path / "error.txt"
    error_file.write_text(
        "Failure # 1 (occurred at 2026-11-28_02-15-39)\nThe actor 048c is unavailable: The actor is temporarily "
        "unavailable: RpcError: RPC error: Socket closed rpc_code: 14.\n"
    )
    watch.on_trial_error(0, [], trial("c0000", error_file))
    found = recorder.history.trials["c0000"]
    assert (found.nodes_lost, found.worker_deaths) == ((1, 0) if is_elsewhere else (0, 1))


def test_a_trial_that_loses_every_machine_is_given_up(recorder: Recorder) -> None:
    record(recorder, tell(candidate(0), 5500.0, status="running"))
    feed: Any = GivenFeed()
    halving = Halving(recorder, BudgetConfig(), None)
    machines: Any = GivenMachines("gone")
    watch = Watch(recorder, feed, halving, machines, 4, "/runs/x/checkpoints")
    figures = {"rung": 1, "score": 5400.0, "train_seconds": 50.0, "validation_seconds": 10.0}
    for _ in range(MAX_NODES_LOST):
        watch.on_trial_result(0, [], trial("c0000"), {"status": "ok", "figures": figures, "node": "gone"})
        watch.on_trial_error(0, [], trial("c0000"))
    failed = recorder.history.trials["c0000"]
    assert failed.failure is not None
    assert failed.failure["message"] == f"its machine was lost {MAX_NODES_LOST} times"
    assert (failed.usd, failed.gpu_hours) == (pytest.approx(0.06), pytest.approx(60 / 3600))


def test_a_worker_that_dies_where_a_trial_went_on_is_no_second_loss_of_its_machine(recorder: Recorder) -> None:
    record(recorder, tell(candidate(0), 5500.0, status="running"))
    feed: Any = GivenFeed()
    machines: Any = GivenMachines("gone")
    watch = Watch(recorder, feed, Halving(recorder, BudgetConfig(), None), machines, 4, "/runs/x/checkpoints")
    figures = {"rung": 1, "score": 5400.0, "train_seconds": 50.0, "validation_seconds": 10.0}
    watch.on_trial_result(0, [], trial("c0000"), {"status": "ok", "figures": figures, "node": "gone"})
    watch.on_trial_recover(0, [], trial("c0000"))
    for _ in range(MAX_WORKER_DEATHS):
        watch.on_trial_error(0, [], trial("c0000"))
    found = recorder.history.trials["c0000"]
    assert (found.nodes_lost, found.worker_deaths, found.status) == (1, MAX_WORKER_DEATHS, "failed")


def test_a_failed_journal_stops_the_loop(recorder: Recorder) -> None:
    feed: Any = GivenFeed()
    watch = make_watch(recorder, feed, Halving(recorder, BudgetConfig(), None))
    watch.on_step_end(0, [])
    feed.failure = OSError("disk full")
    with pytest.raises(OSError, match="disk full"):
        watch.on_step_end(0, [])


def decide(recorder: Recorder, budget: BudgetConfig, deadline: float | None, rung: int, score: float) -> str:
    result = {"figures/rung": rung, "figures/score": score, "figures/done": rung == budget.rungs}
    return Halving(recorder, budget, deadline).on_trial_result(None, trial("c0009"), result)


def test_halving_stops_by_everything_that_the_journal_holds(recorder: Recorder) -> None:
    record(recorder, *(tell(candidate(index), 5500.0 + index) for index in range(6)))
    budget = BudgetConfig(rungs=4)
    assert decide(recorder, budget, None, 1, 5501.0) == "CONTINUE"
    assert decide(recorder, budget, None, 1, 5504.0) == "STOP"
    assert decide(recorder, budget, None, 2, 9999.0) == "CONTINUE", "no milestone"
    assert decide(recorder, budget, None, 4, 9999.0) == "CONTINUE", "ends by itself"
    assert decide(recorder, BudgetConfig(rungs=4, deterministic=True), None, 1, 9999.0) == "CONTINUE"


def test_a_fresh_seed_of_a_known_network_is_not_stopped_early(recorder: Recorder) -> None:
    record(recorder, *(tell(candidate(index), 5500.0 + index) for index in range(9)))
    record(recorder, tell(candidate(9, source="rerun"), 9999.0, status="running"))
    assert decide(recorder, BudgetConfig(rungs=4), None, 1, 9999.0) == "CONTINUE"


def test_after_the_deadline_a_trial_stops_at_its_next_rung(recorder: Recorder) -> None:
    assert decide(recorder, BudgetConfig(), 0.0, 2, 5000.0) == "STOP"
    assert decide(recorder, BudgetConfig(), 1e12, 2, 5000.0) == "CONTINUE"


def test_deadlines_close_the_feed_and_then_end_everything() -> None:
    feed: Any = GivenFeed()
    assert not Deadlines(feed, 1e12, 1e13).stop_all()
    assert not feed.closed
    assert not Deadlines(feed, 0.0, 1e13).stop_all()
    assert feed.closed
    assert Deadlines(feed, 0.0, 0.0).stop_all()
    assert not Deadlines(feed, None, None).stop_all()


def test_a_checkpoint_is_told_once_it_is_on_the_disk_with_its_folders(
    tmp_path: Path, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(recorder, tell(candidate(0), 5.0, status="running"))
    storage = tmp_path / "checkpoints"
    folder = storage / "trials-1" / "c0000" / "checkpoint_000000"
    folder.mkdir(parents=True)
    (folder / STATE_FILE).write_bytes(b"state")
    feed: Any = GivenFeed()
    machines: Any = GivenMachines()
    watch = Watch(recorder, feed, Halving(recorder, BudgetConfig(), None), machines, 4, str(storage))
    told = recorded(recorder, monkeypatch)
    watch.on_checkpoint(0, [], trial("c0000"), SimpleNamespace(path=str(folder)))
    assert_before(told, "checkpoint", folder / STATE_FILE, folder, folder.parent, folder.parent.parent, storage)
    assert recorder.history.trials["c0000"].checkpoint == "trials-1/c0000/checkpoint_000000"
