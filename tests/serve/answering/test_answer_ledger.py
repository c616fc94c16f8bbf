from __future__ import annotations

import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from synthcity.errors import DataError, RunError
from synthcity.lines import append_line, read_lines
from synthcity.serve.answering import answer_ledger as ledgers
from synthcity.serve.answering.answer_ledger import ANSWERS, AnswerLedger
from synthcity.serve.settlement.settle import read_answers
from tests.serve.builders import T0, hour, make_paths, record

MINER = """
import sys
from pathlib import Path
from synthcity.serve.answering.answer_ledger import AnswerLedger
from tests.serve.builders import hour, record
with AnswerLedger(Path(sys.argv[1])) as ledger:
    for number in range(10**6):
        print(record(ledger, hour(60 * number)).id, flush=True)
"""


def test_an_answer_comes_back_with_its_paths(tmp_path):
    prompt = hour()
    paths = make_paths(prompt)
    with AnswerLedger(tmp_path) as ledger:
        written = record(ledger, prompt, paths, fallback="the bundle is broken", sent=False)
        assert ledger.problem is None
    answers, problems = read_answers(tmp_path)
    assert (answers, problems) == ([written], [])
    assert (written.prompt, written.fallback, written.sent) == (prompt, "the bundle is broken", False)
    found = written.load_paths(tmp_path)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, paths.astype(np.float32))


def test_the_same_prompt_twice_gives_two_answers(tmp_path):
    with AnswerLedger(tmp_path) as ledger:
        assert record(ledger, hour()).paths != record(ledger, hour()).paths
    assert len(read_answers(tmp_path)[0]) == 2


def test_paths_that_do_not_fit_are_refused(tmp_path):
    with AnswerLedger(tmp_path) as ledger, pytest.raises(ValueError, match=r"paths \(50, 60\) do not fit"):
        record(ledger, hour(), np.ones((50, 60)))


def test_numbers_that_no_line_can_hold_are_refused_before_they_block_others(tmp_path):
    with AnswerLedger(tmp_path) as ledger:
        with pytest.raises(ValueError, match=r"a price of some age, got .* and inf"):
            record(ledger, hour(), price_age=float("inf"))
        kept = record(ledger, hour(), seed=np.int64(7), price_age=np.float64(3.0))
    assert read_answers(tmp_path) == ([kept], [])


def test_what_is_lost_at_the_end_is_told(tmp_path, caplog):
    with AnswerLedger(tmp_path) as ledger:
        (tmp_path / "paths").write_text("in the way")
        record(ledger, hour())
    assert "1 answers are lost: cannot write" in caplog.records[-1].getMessage()


def test_several_miners_share_a_ledger(tmp_path):
    with AnswerLedger(tmp_path) as one, AnswerLedger(tmp_path) as other:
        written = [record(ledger, hour(T0 + 60 * k)) for k, ledger in enumerate((one, other, one))]
    assert read_answers(tmp_path) == (written, [])


def test_a_folder_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RunError, match="cannot write"):
        AnswerLedger(tmp_path / "file" / "ledger")


def test_a_disk_that_refuses_loses_nothing_and_is_told(tmp_path, caplog):
    with AnswerLedger(tmp_path) as ledger:
        first = record(ledger, hour())
        (tmp_path / "paths").rename(tmp_path / "aside")
        (tmp_path / "paths").write_text("in the way")
        held = [record(ledger, hour(T0 + 60 * k), seed=k) for k in range(3)]
        assert "cannot write" in ledger.problem
        assert "3 answers are held in memory" in ledger.problem
        assert sum("held in memory" in r.message for r in caplog.records) >= 1
        assert read_answers(tmp_path)[0] == [first]
        (tmp_path / "paths").unlink()
        (tmp_path / "aside").rename(tmp_path / "paths")
        last = record(ledger, hour(T0 + 600))
        assert ledger.problem is None
    answers, _ = read_answers(tmp_path)
    assert answers == [first, *held, last]
    assert all(answer.load_paths(tmp_path).shape == (50, 61) for answer in answers)


def test_what_is_held_has_an_end_and_the_loss_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(ledgers, "MOST_HELD", 2)
    with AnswerLedger(tmp_path) as ledger:
        (tmp_path / "paths").write_text("in the way")
        kept = [record(ledger, hour(T0 + 60 * k)) for k in range(5)][3:]
        assert "2 answers are held in memory; 3 answers are lost" in ledger.problem
        (tmp_path / "paths").unlink()
    assert read_answers(tmp_path)[0] == kept


def test_a_killed_miner_leaves_whole_answers(tmp_path):
    command = [sys.executable, "-c", MINER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": "."}, text=True) as miner:
        told = [miner.stdout.readline().strip() for _ in range(10)]
        miner.send_signal(signal.SIGKILL)
    answers, _ = read_answers(tmp_path)
    assert [answer.id for answer in answers][:10] == told
    assert all(answer.load_paths(tmp_path).shape == (50, 61) for answer in answers)
    with AnswerLedger(tmp_path) as ledger:
        record(ledger, hour(T0))
    assert len(read_answers(tmp_path)[0]) == len(answers) + 1


def test_a_torn_last_line_and_a_foreign_one_are_told(tmp_path):
    with AnswerLedger(tmp_path) as ledger:
        kept = record(ledger, hour())
    for foreign in ({"id": "x"}, {**read_lines(tmp_path / ANSWERS).events[0], "bundle": 7}):
        append_line(tmp_path / ANSWERS, foreign)
    with (tmp_path / ANSWERS).open("ab") as file:
        file.write(b'{"id":"to')
    answers, problems = read_answers(tmp_path)
    assert answers == [kept]
    assert problems[0].endswith("is torn and left out")
    assert f"2 of the lines of {tmp_path / ANSWERS} are foreign and left out; the first is no answer" in problems[1]
    with AnswerLedger(tmp_path) as ledger:
        assert "was torn" in ledger.mended


def test_damaged_and_lost_paths_are_told(tmp_path):
    with AnswerLedger(tmp_path) as ledger:
        answer = record(ledger, hour())
    path = tmp_path / answer.paths
    content = bytearray(path.read_bytes())
    content[500] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match="differs from its hash"):
        answer.load_paths(tmp_path)
    path.unlink()
    with pytest.raises(DataError, match=r"cannot read .* cannot be settled"):
        answer.load_paths(tmp_path)
