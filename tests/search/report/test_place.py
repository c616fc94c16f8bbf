"""What a winner would have earned stands in the report, on the page and among the last lines."""

from __future__ import annotations

from pathlib import Path

from synthcity.search.journal.history import TrialHistory
from synthcity.search.report.outcome import SearchResult
from synthcity.search.report.saving import save_report
from synthcity.search.screen.summary import summary
from tests.search.sample_run import BEGIN, journal, sample_report

PLACE = {
    "competition": "crypto-24h",
    "days": 10,
    "rank": 12,
    "miners": 240,
    "average": 31.25,
    "best": 20.0,
    "median": 80.0,
    "share": 0.0041,
    "rank_range": [8.0, 20.0],
    "average_range": [28.0, 35.5],
    "share_range": [0.002, 0.008],
    "prompts": 1180,
    "lost": 3,
}
SAID = (
    "Among the real miners it would have ranked 12 of 240 (8 to 20) over the last 10 days of the test period, with a "
    "rolling average of 31.2 (28.0 to 35.5), the best 20.0 and the median 80.0, and 0.41 % (0.20 to 0.80) of the pay "
    "of crypto-24h, on 1,180 of the network's own prompts (95 % intervals); 3 could not be answered and count for "
    "nobody."
)


def test_a_place_is_told_with_its_intervals_everywhere(tmp_path: Path) -> None:
    told = {"kind": "earnings", "time": BEGIN + 9000, "place": PLACE, "reason": ""}
    report = sample_report(history=TrialHistory.replay([*journal(), told]), diagnostics=None, groups=None)
    assert (report["earnings"], report["place"]) == (SAID, PLACE)
    assert SAID in summary(SearchResult(folder=tmp_path, report=report)).splitlines()
    page = save_report(tmp_path, report).read_text(encoding="utf-8")
    assert "it would have ranked 12 of 240" in page


def test_a_run_of_an_earlier_version_tells_nothing_of_it(tmp_path: Path) -> None:
    report = sample_report(diagnostics=None, groups=None)
    assert "earnings" not in report
    assert "would have" not in save_report(tmp_path, report).read_text(encoding="utf-8")
