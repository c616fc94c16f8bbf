"""Jobs: once a key, four at a time, found again, stopped."""

from __future__ import annotations

import fcntl
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from synthcity.bridge.jobs import board
from synthcity.bridge.jobs.job import ENDED, LOCK, RECORD, STOP, State, state
from synthcity.bridge.operation import Refused
from synthcity.bridge.place import Place
from tests.bridge.jobs.builders import Launched, job


def start(place: Place, bot: str = "default", key: str | None = None, **asked: object):
    return board.start(place, bot, "quick", asked, ["quick", "--set", "name={run}", "{runs}"], key=key)


def test_a_job_has_a_run_folder_of_its_own_among_those_of_its_bot(place: Place, launched: Launched) -> None:
    one = start(place, "alpha")
    runs = place.runs_of("alpha").absolute()
    assert one.arguments == ("quick", "--set", f"name=quick-{one.id}", str(runs))
    assert one.run == str(runs / f"quick-{one.id}")
    assert (place.jobs / one.id).stat().st_mode & 0o777 == 0o700
    assert board.jobs(place, "alpha") == board.jobs(place) == [one]
    assert board.jobs(place, "beta") == []
    assert board.job_of(place, "alpha", one.id) == one
    with pytest.raises(Refused, match="no job") as told:
        board.job_of(place, "beta", one.id)
    assert told.value.status == 404


def test_the_same_key_starts_a_job_once_for_each_bot(place: Place, launched: Launched) -> None:
    one = start(place, key="k", seed=1)
    assert start(place, key="k", seed=1) == one
    launched.end(one.id)
    assert start(place, key="k", seed=1) == one
    assert one.id not in launched.locks
    with pytest.raises(Refused, match="was used for another request") as told:
        start(place, key="k", seed=2)
    assert told.value.status == 409
    assert start(place, "alpha", key="k", seed=1).id != one.id


def test_a_job_that_was_never_launched_is_started_by_its_key(place: Place, launched: Launched) -> None:
    one = start(place, key="k")
    launched.end(one.id)
    (place.jobs / one.id / "output.txt").unlink()  # as after a kill between the record and the process
    assert start(place, key="k").id == one.id
    assert one.id in launched.locks


def test_the_fifth_is_told_to_come_again(place: Place, launched: Launched) -> None:
    ids = [start(place, bot).id for bot in ("a", "b", "c", "d")]
    with pytest.raises(Refused, match="4 jobs run already") as told:
        start(place)
    assert (told.value.status, told.value.headers) == (429, {"Retry-After": "60"})
    launched.end(ids[0])
    assert start(place)


def test_what_was_stopped_goes_on_and_what_runs_does_not(place: Place, launched: Launched) -> None:
    one = start(place)
    with pytest.raises(Refused, match="is running"):
        board.resume(place, one)
    board.stop(place, one)
    assert state(place.jobs / one.id) == State.STOPPING
    launched.end(one.id)
    assert state(place.jobs / one.id) == State.STOPPED
    board.stop(place, one)  # which changes nothing any more
    board.resume(place, one)
    assert state(place.jobs / one.id) == State.RUNNING
    assert not (place.jobs / one.id / STOP).exists()
    launched.end(one.id)
    (place.jobs / one.id / ENDED).write_text('{"code": 0}')
    with pytest.raises(Refused, match="is completed"):
        board.resume(place, one)


def test_records_are_kept_in_bounds(place: Place, launched: Launched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board, "MOST_KEPT", 2)
    for number in range(4):
        launched.end(start(place, n=number).id)
    assert len(board.jobs(place)) == 3
    folder = place.jobs / "broken"
    folder.mkdir()
    (folder / RECORD).write_text("{")
    assert len(board.jobs(place)) == 3  # what cannot be read hides no other


def test_another_process_with_an_old_number_is_left_alone(place: Place) -> None:
    import os

    assert not board._is_of(os.getpid(), job())
    assert not board._is_of(2**22 + 1, job())


def test_a_job_starts_while_somebody_looks_whether_it_is_alive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, started = subprocess.Popen, []
    monkeypatch.setattr(
        subprocess, "Popen", lambda *_, **options: started.append(options) or real([sys.executable, "-c", ""])
    )
    looking = (tmp_path / LOCK).open("wb")
    fcntl.flock(looking, fcntl.LOCK_SH)
    thread = threading.Thread(target=board._launch, args=(tmp_path, job()))
    thread.start()
    thread.join(0.1)  # long enough for one that would not wait
    assert (thread.is_alive(), started) == (True, [])
    looking.close()
    thread.join()
    assert len(started) == 1
