"""A process is there until it ends, in whatever way."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from synthcity.serve.admission.presence import KEPT_SECONDS, Presence, is_present


@pytest.fixture
def other(tmp_path: Path):
    """A process with a presence in ``tmp_path``, and its name."""
    code = "import sys, time, pathlib\nfrom synthcity.serve.admission.presence import Presence\n"
    code += "held = Presence(pathlib.Path(sys.argv[1]))\nprint(held.name, flush=True)\ntime.sleep(600)"
    command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip()
        process.kill()


def test_is_there_until_closed(tmp_path: Path):
    one, two = Presence(tmp_path), Presence(tmp_path)
    assert is_present(tmp_path, one.name)
    one.close()
    assert (is_present(tmp_path, one.name), is_present(tmp_path, two.name)) == (False, True)
    one.close()
    two.close()
    assert not list(tmp_path.iterdir())
    assert not is_present(tmp_path, "never")


def test_a_killed_process_is_there_no_longer_even_before_anyone_takes_notice(tmp_path: Path, other):
    process, name = other
    assert is_present(tmp_path, name)
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # a zombie, whose id is still taken
    assert not is_present(tmp_path, name)


def test_files_of_the_dead_go_after_an_hour_those_of_the_living_stay(tmp_path: Path, other):
    process, name = other
    past = time.time() - KEPT_SECONDS - 1
    os.utime(tmp_path / f"{name}.lock", (past, past))
    Presence(tmp_path).close()
    assert is_present(tmp_path, name)
    process.kill()
    process.wait()
    (tmp_path / "young.lock").touch()
    Presence(tmp_path).close()
    assert [path.name for path in tmp_path.iterdir()] == ["young.lock"]


def test_replicas_that_start_together_do_not_trip_over_what_the_other_removes(tmp_path: Path, monkeypatch):
    past = time.time() - KEPT_SECONDS - 1
    for name in ("one", "two"):
        (tmp_path / f"{name}.lock").touch()
        os.utime(tmp_path / f"{name}.lock", (past, past))

    def other_was_faster(folder: Path, name: str) -> bool:
        for path in folder.iterdir():
            path.unlink()
        return False

    monkeypatch.setattr("synthcity.serve.admission.presence.is_present", other_was_faster)
    Presence(tmp_path).close()
    assert not list(tmp_path.iterdir())
