"""The report is one file that loads nothing and shows everything."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from synthcity.errors import RunError
from synthcity.search.report import REPORT_HTML, save_report, write_report
from tests.search.sample_run import sample_report


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
