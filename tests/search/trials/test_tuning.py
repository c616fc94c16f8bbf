"""The search stage on a real local Ray, killed in every way."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import weakref
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from synthcity.agents.standin.process import running_standin
from synthcity.errors import Fatal
from synthcity.nets.registry import heads
from synthcity.search.journal.history import TrialHistory, TrialRecord
from synthcity.search.journal.journal import Journal
from synthcity.search.journal.recorder import Recorder
from synthcity.search.trials import tuning
from synthcity.search.trials.trainable import STATE_FILE
from synthcity.watchdog import children
from tests.agents.conftest import KEY

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[3]
AGENTS = ("ray::DashboardAgent", "ray::RuntimeEnvAgent")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()


class Search:
    """One search stage with two workers; every process of it inherits a mark in its environment."""

    def __init__(self, folder: Path, dataset: dict[str, Any] | None = None, **budget: Any) -> None:
        self.folder = folder / "run"
        self.home = folder / "home"
        self.temporary = Path(tempfile.mkdtemp(prefix="s", dir="/tmp"))  # short, since sockets lie below it
        weakref.finalize(self, shutil.rmtree, self.temporary, True)
        self.log, self.printed = folder / "log", folder / "printed"
        self.home.mkdir(exist_ok=True)
        self.options = {"budget": {"trials": 4, **budget}, "dataset": {**(dataset or {}), "log": str(self.log)}}
        self.mark = f"{folder}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, **options: Any) -> Search:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("RAY_")},
            "HOME": str(self.home),
            "TMPDIR": str(self.temporary),
            "PYTHONPATH": str(ROOT),
            "SYNTHCITY_TEST_MARK": self.mark,
        }
        text = json.dumps({**self.options, **options})
        with self.printed.open("w") as printed:  # a pipe that a failed test leaves open fails a later one
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.search.drive", str(self.folder), text],
                cwd=ROOT,
                env=environment,
                stdout=printed,
                stderr=subprocess.STDOUT,
            )
        weakref.finalize(self, _end, self.process)
        return self

    def last_words(self) -> str:
        """What was printed in the end, also by the child that speaks for a process which Ray's core has ended."""
        end = time.monotonic() + 30
        while "--resume" not in (output := self.finish(expected=1)):
            assert time.monotonic() < end, f"it ended without a word: {output!r}"
            time.sleep(0.05)
        return output

    def finish(self, expected: int = 0) -> str:
        assert self.process is not None
        returncode = self.process.wait(timeout=400)
        output = self.printed.read_text()
        assert returncode == expected, output
        return output

    def kill(self) -> None:
        assert self.process is not None
        _end(self.process)

    def wait_for(self, kind: str, count: int) -> None:
        end = time.monotonic() + 120
        while sum(event["kind"] == kind for event in self.events()) < count:
            assert self.process is not None
            assert self.process.poll() is None, self.printed.read_text()
            assert time.monotonic() < end, f"no {count} events of kind {kind}"
            time.sleep(0.05)

    def events(self) -> list[dict[str, Any]]:
        path = self.folder / "journal.jsonl"
        text = path.read_text() if path.exists() else ""
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]

    def history(self) -> TrialHistory:
        with Journal(self.folder) as journal:
            return TrialHistory.replay(journal.events)

    def trained(self) -> Counter[str]:
        """How often each rung of each candidate was trained."""
        return Counter(self.log.read_text().splitlines()) if self.log.exists() else Counter()

    def processes(self) -> list[str]:
        """Every process of this search that is still there, as "pid command"."""
        found = []
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and self.mark.encode() in (entry / "environ").read_bytes():
                    name = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                    if name:
                        found.append(f"{entry.name} {name[:120]}")
            except OSError:
                continue
        return found

    def process_of(self, program: str) -> int:
        """The id of Ray's process of this name. An agent renames itself, over its environment and so the mark too."""
        assert self.process is not None
        daemons = children(("raylet", "gcs_server"), of=self.process.pid)
        found = {name: pid for pid, name in daemons.items()}
        found |= {name: pid for parent in daemons for pid, name in children(AGENTS, of=parent).items()}
        return found[program]

    def wait_until_gone(self) -> None:
        end = time.monotonic() + 120  # Ray's agents look for their raylet now and then only
        while self.processes():
            assert time.monotonic() < end, f"still there: {self.processes()}"
            time.sleep(0.2)


def test_trains_every_candidate_once_and_leaves_no_trace(tmp_path: Path) -> None:
    search = Search(tmp_path, {"seconds": 0.02, "fail": ["sde"]}, trials=8, seed=1).start()
    assert search.finish() == ""  # not one line on stdout or stderr
    history = search.history()
    assert len(history.trials) == 8
    assert all(record.finished for record in history.records)
    assert {record.status for record in history.records} >= {"completed", "failed"}
    for record in history.records:
        failed = record.candidate.config["head"]["name"] == "sde"
        assert (record.status == "failed") == failed
        if failed:
            assert record.failure is not None
            assert record.failure["class"] == "TrialFailed"
            assert record.failure["message"] == "the loss became nan"
            assert "fakes.py" in record.failure["traceback"]
        if record.status == "completed":
            assert [rung["rung"] for rung in record.rungs] == [1, 2, 3, 4]
    assert set(search.trained().values()) == {1}
    search.wait_until_gone()
    assert list(search.home.iterdir()) == []
    assert list(search.temporary.glob("synthcity-*")) == []
    # nothing that Ray pickled holds more than empty shells
    assert b"_thread" not in (search.folder / "checkpoints" / "trials-1" / "tuner.pkl").read_bytes()


def test_a_killed_worker_goes_on_at_its_last_rung(tmp_path: Path) -> None:
    search = Search(tmp_path, {"seconds": 0.05, "die": str(tmp_path / "died")}, trials=3, deterministic=True).start()
    search.finish()
    history = search.history()
    assert [record.status for record in history.records] == ["completed"] * 3
    assert sum(record.worker_deaths for record in history.records) == 1
    assert set(search.trained().values()) == {1}


def test_a_killed_driver_takes_ray_with_it_and_is_resumed(tmp_path: Path) -> None:
    search = Search(tmp_path, {"seconds": 0.3}, trials=6, deterministic=True, generation=6).start()
    search.wait_for("trial_finished", 2)
    search.wait_for("checkpoint", 10)
    search.kill()
    search.wait_until_gone()
    before = search.history()
    trained = search.trained()
    search.start().finish()
    after = search.history()
    assert [record.status for record in after.records] == ["completed"] * 6
    assert list(after.trials) == list(before.trials)
    for name, record in before.trials.items():
        if record.finished:
            assert after.trials[name] == record
    # only a rung whose checkpoint had not reached the journal may have been trained twice
    repeated = [line for line, count in search.trained().items() if count > 1]
    assert len(repeated) <= 2
    resumed = [event["from_rung"] for event in search.events() if event["kind"] == "trial_started"]
    assert sum(rung > 0 for rung in resumed) >= 1
    assert sum(trained.values()) < sum(search.trained().values())
    search.wait_until_gone()


def test_ten_kills_at_random_lose_nothing_that_was_finished(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    search = Search(tmp_path, {"seconds": 0.4}, trials=10, deterministic=True, generation=5).start()
    kept: dict[str, TrialRecord] = {}
    for _ in range(10):
        begun = sum(event["kind"] == "rung" for event in search.events())
        search.wait_for("rung", begun + 1 + int(rng.integers(3)))
        workers = [entry for entry in search.processes() if "ImplicitFunc" in entry]
        if rng.random() < 0.5 and workers:
            os.kill(int(workers[int(rng.integers(len(workers)))].split()[0]), signal.SIGKILL)
            continue
        search.kill()
        kept |= {name: record for name, record in search.history().trials.items() if record.finished}
        search.start()
    search.finish()
    after = search.history()
    assert [record.status for record in after.records] == ["completed"] * 10
    assert {name: after.trials[name] for name in kept} == kept
    assert len(search.trained()) == 40
    sessions = sum(event["kind"] in ("run_started", "run_resumed") for event in search.events())
    deaths = sum(record.worker_deaths for record in after.records)
    assert sessions > 1
    assert deaths >= 1
    # each kill costs at most the rung in flight on each worker and one whose checkpoint was not yet journalled
    assert sum(search.trained().values()) - 40 <= 2 * 10


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_driver_cleans_up(tmp_path: Path, number: signal.Signals) -> None:
    search = Search(tmp_path, {"seconds": 0.2}, trials=8).start()
    search.wait_for("rung", 2)
    assert search.process is not None
    search.process.send_signal(number)
    assert search.process.wait(timeout=60) != 0
    assert "KeyboardInterrupt" in search.printed.read_text()
    search.wait_until_gone()
    assert list(search.temporary.glob("synthcity-*")) == []


def test_same_seed_same_scores_with_one_worker_killed(tmp_path: Path) -> None:
    budget = {"trials": 8, "deterministic": True, "generation": 4, "seed": 5}
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    plain = Search(tmp_path / "a", {"seconds": 0.02}, **budget).start()
    plain.finish()
    rough = Search(tmp_path / "b", {"seconds": 0.05, "die": str(tmp_path / "died")}, **budget).start()
    rough.finish()
    told = [[(record.candidate, record.score) for record in search.history().records] for search in (plain, rough)]
    assert told[0] == told[1]


def test_the_time_budget_ends_the_search(tmp_path: Path) -> None:
    search = Search(tmp_path, {"seconds": 0.2}, trials=500).start(seconds=20.0)
    search.finish()
    history = search.history()
    assert all(record.finished for record in history.records)
    assert 1 <= len(history.scored) < 100
    assert any("time budget" in record.reason for record in history.records)


def test_failed_trials_are_repaired_by_the_catalogue_and_by_a_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNTHCITY_LLM_API_KEY", KEY)
    raised = {
        "sde": "the training loss became nan",
        "flow": "the spectrum is degenerate",
        "copula": "CUDA out of memory",
    }
    patch = {"cause": "degenerate", "evidence": "", "changes": [{"path": "head.name", "value": "gbm"}]}
    script = [{"tool_calls": [{"name": "finish", "arguments": patch}]}] * 20
    with running_standin() as server:
        server.script(script)
        monkeypatch.setenv("SYNTHCITY_LLM_BASE_URL", server.url)
        search = Search(tmp_path, {"seconds": 0.1, "raise": raised}, trials=24, seed=1, debugger="llm")
        search.start().finish()
        asked = len(server.questions())
    history = search.history()
    assert len(history.trials) == 24
    repairs = [record for record in history.records if record.candidate.source == "debugger"]
    assert 1 <= len(repairs) <= 6
    by_model = [record for record in repairs if record.candidate.usd > 0]
    assert by_model
    assert {record.status for record in by_model} <= {"completed", "stopped"}
    assert len(by_model) <= asked <= 20
    for record in repairs:
        parent = history.trials[record.candidate.parent or ""]
        assert parent.status == "failed"
        assert parent.candidate.index < record.candidate.index
    for record in history.limits:
        assert record.candidate.config["head"]["name"] == "copula"


def test_trials_that_overrun_end_with_their_rungs_kept_and_become_limits(tmp_path: Path) -> None:
    # all fail after the trial budget is used up, and are diagnosed all the same
    budget = {"trials": 2, "seed": 1, "trial_time": 60.0, "debugger": "llm"}
    search = Search(tmp_path, {"slow": list(heads())}, **budget).start()
    search.finish()
    history = search.history()
    assert len(history.trials) == 2
    for record in history.records:
        assert record.failure is not None
        assert record.failure["class"] == "TrialTimeout"
        assert [rung["rung"] for rung in record.rungs] == [1]
        assert record.diagnosis is not None
        assert (record.diagnosis.action, record.diagnosis.cause) == ("limit", "time")


def test_an_emptied_checkpoint_costs_a_rung_and_is_told(tmp_path: Path) -> None:
    search = Search(tmp_path, {"seconds": 0.3}, trials=2, deterministic=True, generation=2).start()
    search.wait_for("checkpoint", 5)
    search.kill()
    search.wait_until_gone()
    newest = {event["id"]: event["path"] for event in search.events() if event["kind"] == "checkpoint"}
    for path in newest.values():
        (search.folder / "checkpoints" / path / STATE_FILE).write_bytes(b"")
    search.start().finish()
    assert {record.status for record in search.history().records} == {"completed"}
    notes = [event["note"] for event in search.events() if event["kind"] == "degraded"]
    assert any("checkpoint" in note and "goes on after rung" in note for note in notes)
    repeated = [line for line, count in search.trained().items() if count > 1]
    assert len(repeated) <= 4, "each goes on from the checkpoint before it, and not from its beginning"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, of 4 MB."""
    (tmp_path / "small").mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(tmp_path / "small")]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a file system")
    try:
        yield tmp_path / "small"
    finally:
        subprocess.run(["umount", "-l", str(tmp_path / "small")], check=True)


def test_a_full_disk_ends_a_search_in_a_sentence_and_loses_nothing(tmp_path: Path, small_disk: Path) -> None:
    search = Search(tmp_path, {"seconds": 0.05, "state_bytes": 200_000}, trials=4, deterministic=True, generation=4)
    search.folder = small_disk / "run"
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * 3_000_000)
    output = search.start().finish(expected=1)
    assert "RunError" in output.splitlines()[-1]
    assert "No space left on device" in output.splitlines()[-1]
    assert "--resume" in output.splitlines()[-1]
    assert all(record.status != "failed" for record in search.history().records)
    ballast.unlink()
    search.start().finish()
    assert {record.status for record in search.history().records} == {"completed"}


@pytest.mark.parametrize("name", ["raylet", "gcs_server", *AGENTS])
def test_a_lost_ray_ends_a_search_in_a_sentence_within_seconds(tmp_path: Path, name: str) -> None:
    search = Search(tmp_path, {"seconds": 0.3}, trials=4, deterministic=True, generation=4).start()
    search.wait_for("checkpoint", 2)
    os.kill(search.process_of(name), signal.SIGKILL)
    begin = time.monotonic()
    output = search.last_words()
    assert time.monotonic() - begin < 60  # a few on a quiet machine
    sentence = output.splitlines()[-1]
    assert re.fullmatch(r"(synthcity.errors.Fatal: )?Ray was lost: its \w+ has ended; continue with --resume", sentence)
    assert "(raylet)" not in output
    assert "GCS" not in output
    ends = [event["reason"] for event in search.events() if event["kind"] == "run_interrupted"]
    assert len(ends) == 1
    assert ends[0] in sentence
    search.wait_until_gone()
    search.start().finish()
    assert {record.status for record in search.history().records} == {"completed"}


def test_a_full_folder_of_ray_ends_a_search_in_a_sentence(tmp_path: Path) -> None:
    def fit() -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/tmp/ray/experiment_state")

    feed: Any = SimpleNamespace(failure=None)
    with Journal(tmp_path) as journal, pytest.raises(Fatal, match=r"/tmp/ray/experiment_state: No space .* --resume"):
        tuning._fit_again_when_lost(fit, Recorder(journal), feed)
