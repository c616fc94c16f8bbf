from __future__ import annotations

import json
from pathlib import Path

import pytest

from synthcity.errors import RunError
from synthcity.search.journal.journal import JOURNAL, Journal, read_events
from synthcity.search.journal.recorder import Recorder
from synthcity.search.report.saving import REPORT_JSON
from synthcity.search.report.seal import digest, hashes, seal, sealed
from tests.publish.proven import copy_run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return copy_run(tmp_path / "run")


def again(folder: Path) -> int:
    """Seal once more, and return how many seals there are."""
    with Journal(folder) as journal:
        recorder = Recorder(journal)
        seal(recorder, folder)
        return sum(event["kind"] == "sealed" for event in recorder.events)


def test_a_seal_holds_files_and_journal(folder: Path) -> None:
    events = read_events(folder / JOURNAL)
    found = sealed(events)
    assert found is not None
    told, at = found
    assert told["files"] == hashes(folder)
    assert {"report.json", "test_scores.parquet", "test_prompts.parquet", "winner/manifest.json"} <= set(told["files"])
    assert told["journal"] == digest(events[:at])
    assert told["journal"] != digest([*events[: at - 1], {**events[at - 1], "time": 1.0}])  # type: ignore[list-item]
    assert [event["kind"] for event in events[at:]] == ["sealed", "run_finished"]


def test_what_is_sealed_is_not_sealed_twice(folder: Path) -> None:
    assert again(folder) == 1


def test_a_report_that_was_written_again_is_sealed_again(folder: Path) -> None:
    (folder / REPORT_JSON).write_text(json.dumps({"another": 1}))
    assert again(folder) == 2


@pytest.mark.parametrize("name", ["test_scores.parquet", "winner/members/0/config.json"])
def test_what_a_report_is_made_from_is_never_sealed_anew(name: str, folder: Path) -> None:
    (folder / name).write_bytes(b"another")
    with pytest.raises(RunError, match="is not what it was when the run was finished; put it back"):
        again(folder)


def test_finals_that_are_held_again_need_a_seal_of_their_own(folder: Path) -> None:
    with Journal(folder) as journal:
        recorder = Recorder(journal)
        recorder.emit("run_extended", trials=9, looks=1)
        assert sealed(recorder.events) is None
