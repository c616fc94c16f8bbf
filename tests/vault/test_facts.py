from __future__ import annotations

from pathlib import Path

import pytest

from synthcity.errors import RunError
from synthcity.vault.entry import Known
from synthcity.vault.facts import copy_journal, run_facts
from tests.vault.builders import BEGUN, append, candidate, finish, started, write_run

OWN = Known(source="store", start=1739577600, end=1751328000)


def test_a_finished_run_tells_its_verdict_with_the_lead_of_its_report(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "sweep")
    facts = run_facts(folder, copy_journal(folder))
    assert (facts.competition, facts.rules, facts.assets, facts.source) == ("crypto-24h", "2026-09", ("BTC",), "store")
    assert (facts.state, facts.trials, facts.started, facts.updated) == ("finished", 2, BEGUN, BEGUN + 99)
    assert facts.verdict is not None
    assert (facts.verdict.proven, facts.verdict.best_baseline) == (True, "fhs")
    assert (facts.verdict.lead, facts.verdict.low, facts.verdict.high) == (-0.6, -0.9, -0.3)
    assert facts.knows == (OWN,)


def test_an_extended_run_is_unfinished_until_its_finals_are_held_again(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "sweep")
    append(folder, {"kind": "run_extended", "time": BEGUN + 100, "trials": 9, "looks": 1})
    facts = run_facts(folder, copy_journal(folder))
    assert (facts.state, facts.verdict) == ("unfinished", None)


def test_it_knows_what_the_runs_knew_that_it_was_told_of_and_what_models_cost(tmp_path: Path) -> None:
    folder = tmp_path / "sweep"
    folder.mkdir()
    told = {"name": "a", "knows": [["store", 1, 2], ["simulated", 3, 4]]}
    paid = [
        {"kind": kind, "time": BEGUN, "usd": 0.25}
        for kind in ("answered", "diagnosis", "author_ended", "researched", "rejected")
    ]
    append(folder, {"kind": "earlier", "time": BEGUN, "runs": [told]}, started(), *paid)
    facts = run_facts(folder, copy_journal(folder))
    assert facts.knows == (OWN, Known(source="store", start=1, end=2), Known(source="simulated", start=3, end=4))
    assert facts.usd == 1.0


def test_a_line_that_is_being_written_is_not_there_yet(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "sweep", finished=False)
    before = copy_journal(folder)
    with (folder / "journal.jsonl").open("a") as file:
        file.write('{"kind":"rung","ti')
    assert copy_journal(folder) == before
    assert before.identity == (folder / "journal.jsonl").read_bytes().splitlines()[0]


@pytest.mark.parametrize("report", ["", "{", '{"leads": 3}', '{"leads": {"fhs": {}}}'])
def test_a_report_that_cannot_be_read_costs_the_lead_alone(tmp_path: Path, report: str) -> None:
    folder = write_run(tmp_path / "sweep")
    (folder / "report.json").write_text(report)
    verdict = run_facts(folder, copy_journal(folder)).verdict
    assert verdict is not None
    assert (verdict.proven, verdict.lead) == (True, None)


def test_a_folder_without_a_run_and_a_run_that_never_began_are_told(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="there is no run in"):
        copy_journal(tmp_path)
    append(tmp_path, candidate(0))
    with pytest.raises(RunError, match="was left before it began"):
        run_facts(tmp_path, copy_journal(tmp_path))
    finish(tmp_path)
