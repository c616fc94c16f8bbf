from __future__ import annotations

from pathlib import Path

import pytest

from synthcity.errors import RunError
from synthcity.pipeline.events import Opened, Waiting
from synthcity.pipeline.journal import JOURNAL, Journal, read_state, read_told
from tests.pipeline.standin import began


def test_what_was_told_is_there_for_the_next_process(tmp_path: Path) -> None:
    with Journal(tmp_path, lambda: 5.0) as journal:
        journal.tell(Opened(competitions=("crypto-24h",)))
        state = journal.tell(began())
    assert read_state(tmp_path) == state
    assert [one.time for one in read_told(tmp_path)] == [5.0, 5.0]
    assert read_told(tmp_path / "none") == []


def test_one_process_has_a_folder(tmp_path: Path) -> None:
    with Journal(tmp_path), pytest.raises(RunError, match="another process writes to"):
        Journal(tmp_path)


def test_a_damaged_line_is_one_sentence_and_lets_go_of_the_folder(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        journal.tell(Waiting(until=1.0, reason="why"))
    path = tmp_path / JOURNAL
    path.write_text('{"kind":"danced","time":1}\n')
    with pytest.raises(RunError, match="tells nonsense at line 1: no event is of the kind 'danced'"):
        Journal(tmp_path)
    path.write_text("")
    Journal(tmp_path).close()
