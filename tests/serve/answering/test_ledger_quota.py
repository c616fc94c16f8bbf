"""What the ledger may take is kept, nobody's answers fill it, and nothing that waits for its score goes."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthcity.serve.answering.answer_ledger import AnswerLedger
from synthcity.serve.answering.answer_recorder import AnswerRecorder
from synthcity.serve.answering.ledger_quota import Quota, ledger_bytes
from synthcity.serve.answering.metrics import UNRECORDED
from synthcity.serve.answering.tally import Tally
from synthcity.serve.settlement.settle import read_answers
from tests.serve.builders import T0, hour, make_paths

FIELDS = {"asked_at": T0 - 40.0, "seed": 1, "bundle": "champion", "price_age": 12.0}


def test_nobody_takes_more_than_half(tmp_path: Path):
    quota = Quota(tmp_path, 1000)
    assert quota.refuses("greedy", 400) is None
    assert quota.refuses("greedy", 400) == "what waits of greedy takes half of the 1e-06 GB that it may"
    assert quota.refuses("modest", 400) is None
    assert quota.refuses("patient", 400) == "the ledger takes the 1e-06 GB that it may"


def test_what_others_write_and_settle_is_seen_within_a_minute(tmp_path: Path):
    now = [0.0]
    quota = Quota(tmp_path, 1000, monotonic=lambda: now[0])
    assert quota.refuses("a", 1) is None
    folder = tmp_path / "paths" / "2026-01-01" / "greedy"
    folder.mkdir(parents=True)
    (folder / "x.zst").write_bytes(bytes(450))
    assert ledger_bytes(tmp_path) == 450
    now[0] = 61.0
    assert quota.refuses("greedy", 100) is not None
    (folder / "x.zst").unlink()
    now[0] = 122.0
    assert quota.refuses("greedy", 100) is None


def test_a_full_ledger_keeps_what_it_has_and_says_what_it_leaves_out(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    metrics, prompt = Tally(), hour()
    room = 2 * prompt.num_simulations * (prompt.num_steps + 1)
    recorder = AnswerRecorder(AnswerLedger(tmp_path), metrics, quota=Quota(tmp_path, 4 * room))
    for number in range(4):
        recorder.add(hour(T0 + 60 * number), make_paths(prompt), caller="greedy", **FIELDS)
    recorder.add(hour(T0 + 600), make_paths(prompt), caller="modest", **FIELDS)
    recorder.add(hour(T0 + 660), make_paths(prompt), caller="greedy", **FIELDS)
    recorder.close()
    answers, problems = read_answers(tmp_path)
    assert ([answer.caller for answer in answers], problems) == (["greedy", "greedy", "modest"], [])
    assert all(answer.load_paths(tmp_path).shape == (50, 61) for answer in answers)
    assert metrics.figures().by(UNRECORDED, "reason") == {"quota": 3}
    assert recorder.problem.startswith("what waits of greedy takes half of the ")
    assert recorder.problem.endswith("; further answers are not recorded")
    assert "is not recorded: what waits of greedy" in caplog.text
