"""The process that keeps a job."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

import pytest

from synthcity.bridge.jobs import keeper
from synthcity.bridge.jobs.job import CHILD, OUTPUT, STOP, exit_code
from tests.bridge.jobs.builders import job
from tests.waiting import until

SAYS = "import sys; print('got', *sys.argv[1:]); sys.exit(5)"
WAITS = (
    "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit(130)); print('ready', flush=True)\n"
    "while True: time.sleep(0.01)"
)


@pytest.fixture
def lock(tmp_path: Path):
    handle = os.open(tmp_path / "lock", os.O_CREAT | os.O_RDWR)
    before = signal.getsignal(signal.SIGTERM)
    yield handle
    signal.signal(signal.SIGTERM, before)
    os.close(handle)


def test_output_and_end_are_written_down(tmp_path: Path, lock: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "COMMAND", (sys.executable, "-c", SAYS))
    job(run=str(tmp_path / "run")).write(tmp_path)
    assert keeper.keep(tmp_path, lock) == exit_code(tmp_path) == 5
    assert (tmp_path / OUTPUT).read_text() == "got quick\n"
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "journal.jsonl").write_text("{}\n")
    keeper.keep(tmp_path, lock)
    assert (tmp_path / OUTPUT).read_text().endswith("got quick --resume\n")


def test_a_stop_is_handed_on(tmp_path: Path, lock: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "COMMAND", (sys.executable, "-c", WAITS))
    job().write(tmp_path)

    def stop() -> None:
        until(lambda: (tmp_path / CHILD).exists() and (tmp_path / OUTPUT).read_text())
        os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=stop)
    thread.start()
    assert keeper.keep(tmp_path, lock) == 130
    thread.join()


def test_a_stop_that_was_asked_for_before_the_keeper_ran_is_not_lost(
    tmp_path: Path, lock: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "COMMAND", (sys.executable, "-c", "import time; time.sleep(60)"))
    job().write(tmp_path)
    (tmp_path / STOP).touch()
    assert keeper.keep(tmp_path, lock) in (130, -signal.SIGTERM)
