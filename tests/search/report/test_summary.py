"""The last lines of a search tell what became of its failures."""

from __future__ import annotations

from pathlib import Path

from synthcity.search.report.outcome import SearchResult
from synthcity.search.report.summary import summary
from tests.search.sample_run import journal, repair_events, sample_report


def test_what_became_of_failures_is_one_of_the_last_lines(tmp_path: Path) -> None:
    report = sample_report(events=[*journal(), *repair_events()], diagnostics=None, groups=None)
    lines = summary(SearchResult(folder=tmp_path, report=report)).splitlines()
    assert "3 trials failed: 1 repaired (catalogue 1), 1 now a limit (time 1), 1 given up (unknown 1)" in lines
    none = [event for event in journal() if event.get("status") != "failed"]
    quiet = sample_report(events=none, diagnostics=None, groups=None)
    assert "failed" not in summary(SearchResult(folder=tmp_path, report=quiet))
