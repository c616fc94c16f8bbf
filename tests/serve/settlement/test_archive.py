"""What was settled long ago is put away compressed; nothing that waits, and nothing is lost."""

from __future__ import annotations

import gzip
import json
from dataclasses import asdict
from pathlib import Path

import pytest

from synthcity.durations import DAY
from synthcity.errors import RunError
from synthcity.lines import LineWriter
from synthcity.serve.answering.answer_ledger import ANSWERS, SCORES, AnswerLedger, AnswerRecord
from synthcity.serve.settlement import archive as archives
from synthcity.serve.settlement.archive import ARCHIVE, archive
from synthcity.serve.settlement.settle import Book, ScoreRecord, read_answers, read_scores
from tests.serve.builders import hour, record

NOW = 1_790_000_000.0


def _score(answer: AnswerRecord) -> ScoreRecord:
    prompt = answer.prompt
    fields = {"asset": prompt.asset, "start_time": prompt.start_time, "time_length": prompt.time_length}
    fields |= {"bundle": answer.bundle, "sent": True, "fallback": None, "price_age": 1.0, "competition": "crypto-1h"}
    return ScoreRecord(answer=answer.id, rules="2026-09-08", total=500.0, reason=None, **fields)


def _ledger(folder: Path, *settled_days_ago: int, waiting: tuple[int, ...] = ()) -> dict[int, AnswerRecord]:
    found = {}
    with AnswerLedger(folder) as ledger, LineWriter(folder / SCORES) as scores:
        for days in sorted((*settled_days_ago, *waiting), reverse=True):
            found[days] = record(ledger, hour(int(NOW) // 60 * 60 - days * DAY))
            if days in settled_days_ago:
                scores.append(asdict(_score(found[days])))
    return found


def _away(folder: Path, stem: str) -> list[dict]:
    files = sorted((folder / ARCHIVE).glob(f"{stem}-*.jsonl.gz"))
    return [json.loads(line) for path in files for line in gzip.decompress(path.read_bytes()).splitlines()]


def test_what_was_settled_long_ago_goes_and_the_rest_stays(tmp_path: Path):
    made = _ledger(tmp_path, 60, 50, 40, 1, waiting=(70,))
    lines = (tmp_path / ANSWERS).read_bytes().splitlines()
    assert archive(tmp_path, NOW) == 2
    answers, problems = read_answers(tmp_path)
    assert ([answer.id for answer in answers], problems) == ([made[days].id for days in (70, 40, 1)], [])
    assert len(read_scores(tmp_path)) == 2
    assert [event["id"] for event in _away(tmp_path, "answers")] == [made[60].id, made[50].id]
    assert [event["answer"] for event in _away(tmp_path, "scores")] == [made[60].id, made[50].id]
    assert (tmp_path / ANSWERS).read_bytes().splitlines() == [lines[0], *lines[3:]], "byte by byte"
    book = Book(tmp_path)
    book.follow()
    assert list(book.waiting) == [made[70].id]


def test_a_ledger_is_gone_through_once_a_week_at_most(tmp_path: Path):
    _ledger(tmp_path, 46, 40)
    assert archive(tmp_path, NOW) == 0
    assert not (tmp_path / ARCHIVE).exists()
    assert archive(tmp_path, NOW + 7 * DAY) == 2
    assert archive(tmp_path, NOW + 7 * DAY) == 0


def test_a_kill_in_between_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    made = _ledger(tmp_path, 60, 1)
    put_away = archives._put_away

    def killed(folder: Path, name: str, *rest: object) -> None:
        if name == SCORES:
            raise KeyboardInterrupt
        put_away(folder, name, *rest)

    monkeypatch.setattr(archives, "_put_away", killed)
    with pytest.raises(KeyboardInterrupt):
        archive(tmp_path, NOW)
    monkeypatch.undo()
    book = Book(tmp_path)
    book.follow()
    assert (book.waiting, len(book.scores)) == ({}, 2), "nothing is settled twice"
    assert archive(tmp_path, NOW) == 1
    assert [event["id"] for event in _away(tmp_path, "answers")] == [made[60].id]
    assert len(read_scores(tmp_path)) == 1


def test_damaged_lines_stay_where_they_are(tmp_path: Path):
    _ledger(tmp_path, 60, 1)
    with (tmp_path / SCORES).open("ab") as file:
        file.write(b"nonsense\n[]\n")
    assert archive(tmp_path, NOW) == 1
    assert (tmp_path / SCORES).read_bytes().endswith(b"nonsense\n[]\n")


def test_nothing_is_done_where_somebody_settles_or_there_is_no_ledger(tmp_path: Path):
    assert archive(tmp_path / "none", NOW) == 0
    _ledger(tmp_path, 60)
    with LineWriter(tmp_path / SCORES, exclusive=True), pytest.raises(RunError, match="another process writes"):
        archive(tmp_path, NOW)


def test_a_full_disk_is_one_sentence_and_leaves_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    _ledger(tmp_path, 60, 1)
    before = (tmp_path / ANSWERS).read_bytes(), (tmp_path / SCORES).read_bytes()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(archives.gzip, "open", full)
    with pytest.raises(RunError, match=r"\(No space left on device\); make room"):
        archive(tmp_path, NOW)
    assert ((tmp_path / ANSWERS).read_bytes(), (tmp_path / SCORES).read_bytes()) == before
