"""How a job stands, by its files alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthcity.bridge.jobs.job import ENDED, OUTPUT, STOP, State, exit_code, is_alive, last_error, read_job, state
from synthcity.errors import RunError
from tests.bridge.jobs.builders import Launched, job


def test_a_record_comes_back(tmp_path: Path) -> None:
    one = job(id="a" * 12, secrets=("HIPPIUS_",))
    one.write(tmp_path)
    assert read_job(tmp_path) == one
    assert (one.journal.name, job(action="pipeline").journal.name) == ("journal.jsonl", "pipeline.jsonl")
    with pytest.raises(RunError, match="cannot read the job"):
        read_job(tmp_path / "none")


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"id": 3}', b"[" * 100_000, b"\xff"])
def test_a_damaged_record_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "job.json").write_bytes(content)
    with pytest.raises(RunError, match="cannot read the job"):
        read_job(tmp_path)


def test_states_follow_from_lock_end_and_wish(tmp_path: Path) -> None:
    launched = Launched()
    assert state(tmp_path) == State.LOST
    launched(tmp_path, job())
    assert is_alive(tmp_path)
    assert state(tmp_path) == State.RUNNING
    (tmp_path / STOP).touch()
    assert state(tmp_path) == State.STOPPING
    launched.end_all()
    assert state(tmp_path) == State.STOPPED
    (tmp_path / STOP).unlink()
    for code, expected in ((0, State.COMPLETED), (2, State.FAILED), (130, State.STOPPED), (-9, State.FAILED)):
        (tmp_path / ENDED).write_text(f'{{"code": {code}}}')
        assert (state(tmp_path), exit_code(tmp_path)) == (expected, code)
    (tmp_path / ENDED).write_text("{")
    assert exit_code(tmp_path) is None


def test_the_error_is_the_sentence_that_the_command_ended_with(tmp_path: Path) -> None:
    assert last_error(tmp_path) == ""
    (tmp_path / OUTPUT).write_text("x" * 20_000 + "\nworking\nerror: no such sweep; name another\n\n")
    assert last_error(tmp_path) == "no such sweep; name another"
    (tmp_path / OUTPUT).write_text("Traceback\nValueError: odd\n")
    assert last_error(tmp_path) == "ValueError: odd"
