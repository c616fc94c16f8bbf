from __future__ import annotations

import contextlib
import errno
import json
import multiprocessing
import os
import random
from pathlib import Path

import pytest

from synthcity.errors import RunError
from synthcity.search.journal.history import TrialHistory
from synthcity.search.journal.journal import JOURNAL, Journal, read_events
from tests.search.builders import candidate, tell

A, B, C = ({"kind": "stage", "time": 0.0, "name": name, "message": ""} for name in "abc")


def test_what_was_appended_is_read_back(tmp_path: Path) -> None:
    with Journal(tmp_path / "run") as journal:
        assert journal.events == []
        journal.append(A)
        journal.append(B)
    with Journal(tmp_path / "run") as journal:
        assert journal.events == [A, B]


@pytest.mark.parametrize("cut", range(1, 12))
def test_a_torn_last_line_is_put_aside(tmp_path: Path, cut: int) -> None:
    with Journal(tmp_path) as journal:
        journal.append(A)
        journal.append(B)
    path = tmp_path / "journal.jsonl"
    path.write_bytes(path.read_bytes()[:-cut])
    with Journal(tmp_path) as journal:
        assert journal.events == [A]
        journal.append(C)
    assert [json.loads(line)["name"] for line in path.read_text().splitlines()] == ["a", "c"]


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
    Journal(folder).append(A)
    os.kill(os.getpid(), 9)


def test_a_killed_search_lets_go_of_its_folder(tmp_path: Path) -> None:
    process = multiprocessing.get_context("spawn").Process(target=_hold_and_die, args=(tmp_path,))
    process.start()
    process.join()
    assert process.exitcode == -9
    with Journal(tmp_path) as journal:
        assert journal.events == [A]


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="cannot write"):
        Journal(tmp_path / "file" / "run")


def test_a_full_disk_is_one_sentence_and_leaves_no_half_event(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with Journal(tmp_path) as journal:
        journal.append(A)
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", full)
            with pytest.raises(RunError, match=r"journal.jsonl: No space left"):
                journal.append(B)
        journal.append(C)
    with Journal(tmp_path) as journal:
        assert journal.events == [A, C]


RUN = [{"kind": "run_started", "time": 0.0, "workers": 2}, *tell(candidate(0), 5500.0), *tell(candidate(1), 5400.0)]


def write(folder: Path, events: list[dict]) -> None:
    folder.mkdir(exist_ok=True)
    (folder / JOURNAL).write_text("".join(json.dumps(event) + "\n" for event in events))


@pytest.mark.parametrize(
    ("at", "change", "sentence"),
    [
        (1, None, "line 2: a trial_started of c0000, which was never proposed"),
        (5, None, "line 6: a trial_started of c0001, which was never proposed"),
        (3, {"score": None}, "line 4: score of the event 'rung' is 'None': Input should be a valid number"),
        (3, {"score": "5500"}, "line 4: score of the event 'rung' is '5500'"),
        (3, {"rung": True}, "line 4: rung of the event 'rung' is 'True'"),
        (3, {"id": ["c0000"]}, "line 4: id of the event 'rung'"),
        (1, {"config": "\u0000\u0001"}, "line 2: config of the event 'candidate'"),
        (1, {"config": {"blocks": 3, "head": {"name": "gbm"}}}, "line 2: config.blocks of the event 'candidate'"),
        (5, {"index": 2}, "line 6: candidate number 2 comes after 1, so a line is missing"),
        (4, {"status": "done"}, "line 5: status of the event 'trial_finished' is 'done'"),
        (4, {"failure": "oops"}, "line 5: failure of the event 'trial_finished'"),
        (2, {"kind": "trial_strated"}, "line 3: no event is of the kind 'trial_strated'"),
        (2, {"kind": {}}, "line 3: no event is of the kind '{}'"),
        (0, {"workers": None}, "line 1: workers of the event 'run_started'"),
        (0, {"version": 99}, "line 1: version 99 is newer than 3"),
    ],
)
def test_a_journal_that_parses_and_tells_nonsense_is_one_sentence(
    tmp_path: Path, at: int, change: dict | None, sentence: str
) -> None:
    events = [*RUN]
    events[at : at + 1] = [] if change is None else [{**events[at], **change}]
    write(tmp_path, events)
    with pytest.raises(RunError) as caught:
        Journal(tmp_path)
    assert f"{tmp_path / JOURNAL} tells nonsense at {sentence}" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_last_candidate_of_a_journal_is_noticed_by_what_follows(tmp_path: Path) -> None:
    write(tmp_path, [event for event in RUN if event.get("index") != 0 and event.get("id") != "c0000"])
    with pytest.raises(RunError, match="line 2: candidate number 1 comes after 0, so a line is missing"):
        Journal(tmp_path)


def test_no_field_that_is_lost_or_changed_ends_in_anything_but_a_sentence(tmp_path: Path) -> None:
    for at, event in enumerate(RUN):
        for name in event:
            for value in (None, [], {}, "x", -1, 1.5):
                write(tmp_path, [*RUN[:at], {**event, name: value}, *RUN[at + 1 :]])
                with contextlib.suppress(RunError), Journal(tmp_path) as journal:
                    TrialHistory.replay(journal.events).write_trials(tmp_path / "trials.jsonl")


def test_no_flipped_bit_makes_another_journal(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        for event in RUN:
            journal.append(event)
    path = tmp_path / JOURNAL
    whole, rng = path.read_bytes(), random.Random(0)
    for _ in range(1000):
        flipped = bytearray(whole)
        flipped[rng.randrange(len(whole))] ^= 1 << rng.randrange(8)
        path.write_bytes(flipped)
        try:
            events = read_events(path)
        except RunError:
            continue
        assert events == RUN[: len(events)]
        assert len(events) == len(RUN) - 1, "only a last line without its newline may look torn"
