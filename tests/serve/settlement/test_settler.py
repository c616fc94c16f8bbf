from __future__ import annotations

from synthcity import lines
from synthcity.errors import BundleError
from synthcity.lines import LineWriter
from synthcity.serve.answering.answer_ledger import SCORES, AnswerLedger
from synthcity.serve.settlement.challenge import Pair
from synthcity.serve.settlement.settler import Settler
from tests.serve.builders import T0, hour, make_paths, make_store, record

NOW = T0 + 2 * 3600


def test_answers_are_settled_beside_the_miner_and_the_race_is_judged(tmp_path):
    with AnswerLedger(tmp_path / "ledger") as ledger:
        record(ledger, hour(), bundle="old")
        record(ledger, hour(), make_paths(hour(), seed=1), bundle="new", sent=False)
        record(ledger, hour(NOW))
    settler = Settler(
        tmp_path / "ledger",
        make_store(tmp_path / "store"),
        lambda: Pair("old", "new"),
        clock=lambda: NOW,
        every_seconds=60,
    )
    with settler:
        pass
    found = settler.latest
    assert (settler.problem, found.num_settled, found.num_pending) == (None, 2, 1)
    assert [one.competition for one in found.standings] == ["crypto-1h"]
    assert found.last == {"BTC": found.standings[0].average}, "the shadow's score is not ours"
    (verdict,) = found.verdicts
    assert (verdict.champion, verdict.challenger, verdict.decision) == ("old", "new", "too early")


def test_what_keeps_it_from_settling_is_told_until_it_is_over(tmp_path):
    settler = Settler(tmp_path / "ledger", make_store(tmp_path / "store"), lambda: None, clock=lambda: NOW)
    with LineWriter(tmp_path / "ledger" / SCORES, exclusive=True):
        settler.round()
        assert settler.problem.startswith("nothing is settled: another process writes to ")
    settler.round()
    assert settler.problem is None


def test_a_full_disk_costs_no_score(tmp_path, monkeypatch):
    with AnswerLedger(tmp_path / "ledger") as ledger:
        answers = [record(ledger, hour(T0 + 60 * k)) for k in range(3)]
    settler = Settler(tmp_path / "ledger", make_store(tmp_path / "store"), lambda: None, clock=lambda: NOW)
    synced = []

    def full(file: int) -> None:
        synced.append(file)
        if len(synced) > 2:  # the folder, for the new file, and one line
            raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(lines.os, "fsync", full)
        settler.round()
    assert settler.problem.endswith("scores.jsonl: No space left on device")
    assert [(tmp_path / "ledger" / answer.paths).exists() for answer in answers] == [False, True, True]
    settler.round()
    assert (settler.problem, settler.latest.num_settled, settler.latest.num_pending) == (None, 3, 0)


def test_a_fault_of_ours_is_told_and_does_not_end_the_settling(tmp_path, caplog):
    with AnswerLedger(tmp_path / "ledger") as ledger:
        record(ledger, hour())
    faults = [ZeroDivisionError("division by zero"), BundleError("cannot read manifest.json; put the bundle back")]

    def race() -> None:
        if faults:
            raise faults.pop(0)

    settler = Settler(tmp_path / "ledger", make_store(tmp_path / "store"), race, clock=lambda: NOW)
    settler.round()
    assert settler.problem == "nothing is settled: ZeroDivisionError division by zero; the log says more"
    assert caplog.records[0].exc_info
    settler.round()
    assert settler.problem == "the race is not judged: cannot read manifest.json; put the bundle back"
    assert settler.latest.num_settled == 1, "scores do not hang on it"
    settler.round()
    assert settler.problem is None
