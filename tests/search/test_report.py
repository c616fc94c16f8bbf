"""The report says what the numbers say, in one file that loads nothing."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from synthcity.errors import RunError
from synthcity.search.report import REPORT_HTML, judge, save_report, score_rows, write_report
from tests.search.sample_run import BASELINES, interval, made_scores, sample_report


def rows_and_leads(lead: float, spread: float = 0.2) -> tuple[Any, Any]:
    rows = score_rows(made_scores(lead=lead), "mix-3", list(BASELINES), {})
    relative = {row["name"]: row["mean"] for row in rows}
    leads = {
        name: {**interval(100 * (relative["mix-3"] / relative[name] - 1), spread), "by_asset": {}} for name in BASELINES
    }
    return rows, leads


def test_a_clear_lead_is_proven_against_every_baseline():
    rows, leads = rows_and_leads(-0.6)
    verdict = judge(rows, leads, "mix-3", num_prompts=655)
    assert verdict["proven"]
    assert verdict["winner"] == "mix-3"
    assert not verdict["winner_is_baseline"]
    assert verdict["best_baseline"] == "fhs"
    assert verdict["sentence"].startswith("Proven: mix-3 scores 0.")
    assert "655 prompts that nobody had looked at" in verdict["sentence"]


def test_a_lead_within_chance_is_not_proven_and_says_against_whom():
    rows, leads = rows_and_leads(-0.6, spread=1.0)
    verdict = judge(rows, leads, "mix-3", num_prompts=655)
    assert not verdict["proven"]
    assert verdict["proven_against"] == {"fhs": False, "ewma": True, "trailing": True, "reference": True}
    assert verdict["sentence"].startswith("Not proven against fhs: mix-3")


def test_a_baseline_that_is_best_is_named_the_winner():
    rows, leads = rows_and_leads(0.8)
    verdict = judge(rows, leads, "mix-3", num_prompts=655)
    assert (verdict["winner"], verdict["winner_is_baseline"], verdict["proven"]) == ("fhs", True, False)
    assert "the baseline fhs wins" in verdict["sentence"]


def test_an_unknown_interval_proves_nothing():
    rows, leads = rows_and_leads(-0.6)
    leads["fhs"] |= {"low": None, "high": None}
    verdict = judge(rows, leads, "mix-3", num_prompts=9)
    assert not verdict["proven"]
    assert "unknown, too few days" in verdict["sentence"]


def test_no_survivor_leaves_the_baseline():
    rows = score_rows(made_scores(), None, list(BASELINES), {})
    verdict = judge(rows, {}, None, num_prompts=9)
    assert verdict["winner"] == "fhs"
    assert "no candidate survived" in verdict["sentence"]


def test_leads_must_cover_all_baselines_and_scores_all_forecasters():
    rows, leads = rows_and_leads(-0.6)
    del leads["ewma"]
    with pytest.raises(ValueError, match="do not cover"):
        judge(rows, leads, "mix-3", num_prompts=1)
    with pytest.raises(ValueError, match="no scores of \\['mix-9'\\]"):
        score_rows(made_scores(), "mix-9", list(BASELINES), {})


def test_means_are_weighted_by_coefficient():
    flat = {row["name"]: row["mean"] for row in score_rows(made_scores(), "mix-3", list(BASELINES), {})}
    weights = dict.fromkeys(("ETH", "SOL", "XRP", "HYPE"), 0.0)
    btc = score_rows(made_scores(), "mix-3", list(BASELINES), weights)
    for row in btc:
        assert row["mean"] == pytest.approx(row["by_asset"]["BTC"])
    assert flat["fhs"] != pytest.approx(btc[0]["mean"])


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("run")
    report = sample_report(command="synthcity search <b>x</b>.yaml")
    return save_report(folder, report).read_text(encoding="utf-8")


def test_the_page_is_self_contained_and_escaped(page: str):
    assert not re.search(r"""(src|href)\s*=\s*["']?(https?:|//)""", page)
    assert "@import" not in page
    assert "<b>x</b>" not in page
    assert "&lt;b&gt;x&lt;/b&gt;" in page
    assert "Traceback &lt;x&gt;" in page


def test_the_page_shows_every_part(page: str):
    for text in ("Proven", "fhs", "lstm", "TrialFailed", "duplicate of t003", "t003", "2025-11-01", "0.1.0"):
        assert text in page, text
    assert page.count("<svg") > 10


def test_the_page_is_drawn_again_from_its_data_alone(tmp_path: Path):
    report = sample_report(diagnostics=None, groups=None)
    first = save_report(tmp_path, report).read_bytes()
    assert any("Calibration" in text for text in report["warnings"])
    (tmp_path / REPORT_HTML).unlink()
    assert write_report(tmp_path).read_bytes() == first


@pytest.mark.parametrize("text", ["", "nonsense", "[]", json.dumps({"schema": 99})])
def test_damaged_report_data_is_refused(tmp_path: Path, text: str):
    (tmp_path / "report.json").write_text(text)
    with pytest.raises(RunError, match=r"report\.json"):
        write_report(tmp_path)


def test_a_missing_report_is_refused(tmp_path: Path):
    with pytest.raises(RunError, match="cannot read the report data"):
        write_report(tmp_path)
