"""The last lines of a search tell what became of its failures."""

from __future__ import annotations

import re
from pathlib import Path

from synthcity.search.journal.history import TrialHistory
from synthcity.search.report.outcome import SearchResult
from synthcity.search.screen.summary import summary
from synthcity.vault.mirror import Mirrored
from tests.search.sample_run import journal, repair_events, sample_report


def test_what_became_of_failures_is_one_of_the_last_lines(tmp_path: Path) -> None:
    report = sample_report(history=TrialHistory.replay([*journal(), *repair_events()]), diagnostics=None, groups=None)
    lines = summary(SearchResult(folder=tmp_path, report=report)).splitlines()
    assert "3 trials failed: 1 repaired (catalogue 1), 1 now a limit (time 1), 1 given up (unknown 1)" in lines
    none = [event for event in journal() if event.get("status") != "failed"]
    quiet = sample_report(history=TrialHistory.replay(none), diagnostics=None, groups=None)
    assert "failed" not in summary(SearchResult(folder=tmp_path, report=quiet))


def test_the_last_lines_say_what_is_frozen_and_why_which_sign_is_good_and_what_was_cut(tmp_path: Path) -> None:
    cut = {"kind": "degraded", "note": "The finals were cut to the time budget of 20:00: so.", "cut": True, "time": 0.0}
    report = sample_report(history=TrialHistory.replay([*journal(), cut]), diagnostics=None, groups=None)
    lines = summary(SearchResult(folder=tmp_path, report=report)).splitlines()
    assert "mix-3 is frozen with 5509.0 on fresh validation prompts." in lines
    title = next(line for line in lines if line.startswith("test period"))
    assert re.search(r"mean  lead of mix-3 +95 % interval  verdict$", title)
    assert "Scores in basis points, lower is better; leads over each in percent, minus is better." in lines
    (row,) = [line for line in lines if line.startswith("fhs")]
    assert "−0.6" in row
    assert "−0.82 to −0.42 %" in row
    assert row.endswith("proven")
    assert cut["note"] in lines
    assert any(line.startswith("time ") and line.endswith("of 20:00") for line in lines)


def test_a_simulated_market_is_one_of_the_last_lines(tmp_path: Path) -> None:
    for venue in ("simulated", "binance"):
        report = sample_report(diagnostics=None, groups=None, venues=[venue])
        text = summary(SearchResult(folder=tmp_path, report=report))
        assert ("`synthcity mine run` refuses the bundle" in text) == (venue == "simulated")


def test_a_lead_is_called_proven_only_where_it_is(tmp_path: Path) -> None:
    report = sample_report(diagnostics=None, groups=None)
    unsure = {**report["leads"]["fhs"], "high": 0.1}
    report = sample_report(diagnostics=None, groups=None, leads={**report["leads"], "fhs": unsure})
    rows = summary(SearchResult(folder=tmp_path, report=report)).splitlines()
    lines = {row.split()[0]: row for row in rows if row.split()[:1] and row.split()[0] in report["leads"]}
    assert lines["fhs"].endswith("  not proven")
    assert all(line.endswith(" %  proven") for name, line in lines.items() if name != "fhs")
    assert len(lines) == len(report["leads"])


def test_whether_the_run_lies_in_its_vault_is_one_of_the_last_lines(tmp_path: Path) -> None:
    report = sample_report()
    kept, owed = Mirrored(vault="/mnt/vault", id="0" * 26), Mirrored(vault="/mnt/vault", reason="the disk is full")
    lines = [summary(SearchResult(folder=tmp_path / "runs/x", report=report, vault=one)) for one in (kept, owed)]
    assert f"\nvault       /mnt/vault as {'0' * 26}\n" in lines[0]
    owes = f"            `synthcity vault flush --runs {tmp_path}/runs` sends it\n"
    assert f"\nvault       not yet: the disk is full\n{owes}" in lines[1]
