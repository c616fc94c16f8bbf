from __future__ import annotations

import errno
import json
import multiprocessing
import os
from pathlib import Path

import numpy as np
import pytest

from synthcity.errors import RunError
from synthcity.search.journal.journal import Journal


def test_what_was_appended_is_read_back(tmp_path: Path) -> None:
    with Journal(tmp_path / "run") as journal:
        assert journal.events == []
        journal.append({"kind": "a", "value": np.float64(1.5), "list": (1, float("nan"))})
        journal.append({"kind": "b"})
    with Journal(tmp_path / "run") as journal:
        assert journal.events == [{"kind": "a", "value": 1.5, "list": [1, None]}, {"kind": "b"}]


@pytest.mark.parametrize("cut", range(1, 12))
def test_a_torn_last_line_is_put_aside(tmp_path: Path, cut: int) -> None:
    with Journal(tmp_path) as journal:
        journal.append({"kind": "a"})
        journal.append({"kind": "b"})
    path = tmp_path / "journal.jsonl"
    path.write_bytes(path.read_bytes()[:-cut])
    with Journal(tmp_path) as journal:
        assert journal.events == [{"kind": "a"}]
        journal.append({"kind": "c"})
    assert [json.loads(line)["kind"] for line in path.read_text().splitlines()] == ["a", "c"]


def test_damage_in_the_middle_is_refused(tmp_path: Path) -> None:
    (tmp_path / "journal.jsonl").write_text('{"kind": "a"}\n{"ki\n{"kind": "c"}\n')
    with pytest.raises(RunError, match="damaged at line 2"):
        Journal(tmp_path)
    (tmp_path / "journal.jsonl").write_text("")
    Journal(tmp_path).close()  # the refusal let go of the lock


def test_two_searches_cannot_share_a_folder(tmp_path: Path) -> None:
    with Journal(tmp_path), pytest.raises(RunError, match="another process writes to"):
        Journal(tmp_path)
    Journal(tmp_path).close()


def _hold_and_die(folder: Path) -> None:
    Journal(folder).append({"kind": "a"})
    os.kill(os.getpid(), 9)


def test_a_killed_search_lets_go_of_its_folder(tmp_path: Path) -> None:
    process = multiprocessing.get_context("spawn").Process(target=_hold_and_die, args=(tmp_path,))
    process.start()
    process.join()
    assert process.exitcode == -9
    with Journal(tmp_path) as journal:
        assert journal.events == [{"kind": "a"}]


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="cannot write"):
        Journal(tmp_path / "file" / "run")


def test_a_full_disk_is_one_sentence_and_leaves_no_half_event(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with Journal(tmp_path) as journal:
        journal.append({"kind": "a"})
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", full)
            with pytest.raises(RunError, match=r"journal.jsonl: No space left"):
                journal.append({"kind": "b"})
        journal.append({"kind": "c"})
    with Journal(tmp_path) as journal:
        assert [event["kind"] for event in journal.events] == ["a", "c"]
