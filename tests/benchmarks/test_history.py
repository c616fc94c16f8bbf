"""The listing of many runs, on few."""

from __future__ import annotations

from pathlib import Path

from benchmarks.history import listing_seconds, make_runs, reading_seconds


def test_all_runs_are_listed_and_all_journals_read(tmp_path: Path) -> None:
    make_runs(tmp_path, 12)
    assert listing_seconds(tmp_path) > 0
    assert reading_seconds(tmp_path) > 0
