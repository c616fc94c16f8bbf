"""Two finished runs side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from synthcity.errors import RunError
from synthcity.search.comparison import compare
from synthcity.search.config import parse_config
from synthcity.search.finals.final import TEST_SCORES
from synthcity.search.journal.folder import write_resolved
from synthcity.search.report.saving import save_data
from tests.search.sample_run import made_scores, sample_report

PERIODS = {
    "train": ["2025-01-01", "2025-08-01"],
    "validation": ["2025-08-01", "2025-11-01"],
    "test": ["2025-11-01", "2026-01-01"],
}


def finished(folder: Path, lead: float, *, trials: int = 40, first: int = 0, **run: Any) -> Path:
    """Write a finished run whose candidate leads fhs by ``lead`` percent; the first prompts may be left out."""
    folder.mkdir()
    scores = made_scores(lead=lead)
    starts = sorted(scores["start_time"].unique())
    report = sample_report(diagnostics=None, groups=None)
    report["run"].update(run)  # type: ignore[typeddict-item]
    save_data(folder, report)
    scores[scores["start_time"] >= starts[first]].to_parquet(folder / TEST_SCORES)
    data = {"periods": PERIODS, "path": "data/store"}
    config = {"competition": "crypto-24h", "data": data, "name": folder.name, "search": {"trials": trials}}
    write_resolved(folder, parse_config(config))
    return folder


def test_the_paired_lead_is_the_difference_on_the_same_prompts(tmp_path: Path) -> None:
    found = compare(finished(tmp_path / "a", -0.5), finished(tmp_path / "b", -2.5, trials=80))
    assert found.lead is not None
    assert found.lead.mean == pytest.approx(-2.0, abs=0.1)
    assert found.lead.high < 0
    assert found.differences == {"search.trials": (40, 80)}
    assert found.sentence.startswith("the second scores 2.0")
    assert found.sentence.endswith("on 655 test prompts of both")


def test_only_prompts_that_both_saw_count(tmp_path: Path) -> None:
    found = compare(finished(tmp_path / "a", -0.5), finished(tmp_path / "b", 1.0, first=100))
    assert found.num_prompts == (655, 155)
    assert found.lead is not None
    assert found.lead.num_prompts == 155
    assert "worse than the first" in found.sentence
    assert found.sentence.endswith("on 155 test prompts of both (of 655 and 155)")


@pytest.mark.parametrize(
    "change", [{"competition": "crypto-1h"}, {"rules": "2025-01"}, {"venues": ["simulated"]}], ids=str
)
def test_runs_of_other_markets_or_rules_are_not_compared(tmp_path: Path, change: dict[str, Any]) -> None:
    found = compare(finished(tmp_path / "a", -0.5), finished(tmp_path / "b", -0.5, **change))
    assert found.sentence == "no paired lead: they are of other competitions, rules or prices"


def test_other_prompts_are_not_compared(tmp_path: Path) -> None:
    second = finished(tmp_path / "b", -0.5)
    scores = made_scores()
    scores.assign(start_time=scores["start_time"] + 60).to_parquet(second / TEST_SCORES)
    assert compare(finished(tmp_path / "a", -0.5), second).why == "they were tested on other prompts"


def test_what_is_not_finished_is_refused(tmp_path: Path) -> None:
    first = finished(tmp_path / "a", -0.5)
    with pytest.raises(RunError, match="report data"):
        compare(first, tmp_path)
    (first / TEST_SCORES).write_bytes(b"x")
    with pytest.raises(RunError, match=r"test_scores\.parquet cannot be read"):
        compare(first, first)
