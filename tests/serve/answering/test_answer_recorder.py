"""An answer goes out whatever the disk does, and what the ledger lacks is told."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient

from synthcity.serve.answering import answer_ledger as ledgers
from synthcity.serve.answering.answer_ledger import AnswerLedger
from synthcity.serve.answering.answer_recorder import AnswerRecorder
from synthcity.serve.answering.metrics import UNRECORDED
from synthcity.serve.answering.service import Service
from synthcity.serve.answering.tally import Tally
from synthcity.serve.settlement.settle import read_answers
from synthcity.sn50.submission import round_paths
from tests.serve.builders import T0, hour, make_paths
from tests.serve.dialogue import NOW, VALIDATOR, body, headers, question

FIELDS = {"asked_at": T0 - 40.0, "seed": 1, "bundle": "champion", "price_age": 12.0}


def test_what_the_network_gets_is_recorded_in_order(tmp_path: Path):
    recorder = AnswerRecorder(AnswerLedger(tmp_path), Tally())
    prompts = [hour(T0 + 60 * k) for k in range(5)]
    for prompt in prompts:
        recorder.add(prompt, make_paths(prompt), **FIELDS)
    recorder.close()
    answers, problems = read_answers(tmp_path)
    assert ([answer.prompt for answer in answers], problems, recorder.problem) == (prompts, [], None)
    expected = round_paths(make_paths(prompts[0])).astype(np.float32)
    np.testing.assert_array_equal(answers[0].load_paths(tmp_path), expected)


def test_a_disk_that_hangs_keeps_nobody_waiting_and_the_rest_is_counted(tmp_path: Path, monkeypatch):
    released = threading.Event()
    write = ledgers._write_file

    def hang(path: Path, content: bytes) -> None:
        released.wait(20)
        write(path, content)

    monkeypatch.setattr(ledgers, "_write_file", hang)
    metrics = Tally()
    recorder = AnswerRecorder(AnswerLedger(tmp_path), metrics, most_waiting=2)
    for k in range(6):
        recorder.add(hour(T0 + 60 * k), make_paths(hour()), **FIELDS)
    assert recorder.problem.startswith("the disk is too slow: ")
    released.set()
    recorder.close()
    kept = len(read_answers(tmp_path)[0])
    assert kept in (2, 3)  # two wait, and one may be in hand
    assert metrics.figures().by(UNRECORDED, "reason") == {"slow": 6 - kept}


def test_an_answer_that_cannot_be_kept_leaves_the_others(tmp_path: Path, caplog):
    metrics = Tally()
    recorder = AnswerRecorder(AnswerLedger(tmp_path), metrics)
    recorder.add(hour(), make_paths(hour())[:, :-1], **FIELDS)
    recorder.add(hour(), make_paths(hour()), **FIELDS)
    recorder.close()
    assert len(read_answers(tmp_path)[0]) == 1
    assert "is not recorded: ValueError paths (50, 60) do not fit" in caplog.text
    assert metrics.figures().by(UNRECORDED, "reason") == {"failed": 1}


@pytest.fixture
def asked(client: TestClient, service: Service):
    def ask(number: int) -> int:
        answer = client.post(
            "/Simulation", content=body(question("ETH", 3600, 60)), headers=headers(uuid=f"caller-{number}")
        )
        return answer.status_code

    return ask


def test_a_full_disk_costs_no_answer_and_nothing_that_was_there(asked, service: Service, tmp_path: Path, monkeypatch):
    assert asked(0) == 200
    service.recorder.close()
    before = {path: path.read_bytes() for path in (tmp_path / "ledger").rglob("*") if path.is_file()}
    assert len(before) == 2
    monkeypatch.setattr(ledgers, "MOST_HELD", 2)
    full = AnswerLedger(tmp_path / "ledger")
    service.recorder = AnswerRecorder(full, service.metrics)
    monkeypatch.setattr("os.fsync", _no_space)
    assert [asked(number) for number in range(1, 6)] == [200] * 5
    service.recorder._waiting.put(None)
    service.recorder._thread.join()
    problem = service.recorder.problem
    assert "No space left on device" in problem
    assert problem.endswith("2 answers are held in memory; 3 answers are lost to it")
    assert service.metrics.figures().by(UNRECORDED, "reason") == {"disk": 3}
    assert {path: path.read_bytes() for path in before} == before
    assert len(list((tmp_path / "ledger").rglob("*.*"))) == 2, "no torn file is left"
    monkeypatch.undo()
    full.close()
    assert len(read_answers(tmp_path / "ledger")[0]) == 3, "what was held is written once there is space"


def test_the_line_says_who_asked_and_how_long_it_took(asked, service: Service, tmp_path: Path):
    assert asked(0) == 200
    service.recorder.close()
    ((answer,), _) = read_answers(tmp_path / "ledger")
    assert (answer.caller, answer.bundle, answer.asked_at) == (VALIDATOR.ss58_address, "champion", NOW)
    assert answer.seconds > 0
    assert (answer.fallback, answer.sent) == (None, True)


def test_what_people_ask_for_is_not_recorded(client: TestClient, service: Service, tmp_path: Path):
    asked = {"asset": "BTC", "time_length": 3600, "time_increment": 60, "num_simulations": 5}
    assert client.post("/simulate", json=asked).status_code == 200
    service.recorder.close()
    assert read_answers(tmp_path / "ledger") == ([], [])


def _no_space(_: object) -> None:
    raise OSError(28, "No space left on device")
