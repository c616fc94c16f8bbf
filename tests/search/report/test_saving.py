"""A report on the disk."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from synthcity.errors import RunError
from synthcity.search.report.saving import REPORT_HTML, REPORT_JSON, read_report, save_report, write_report
from tests.search.sample_run import sample_report


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


def test_a_report_of_an_earlier_version_is_drawn_too(tmp_path: Path):
    report = sample_report(diagnostics=None, groups=None)
    for key in ("venues", "is_simulated"):
        del report["run"][key]
    assert "SIMULATED" not in save_report(tmp_path, report).read_text()


def test_numbers_that_are_none_never_reach_the_disk(tmp_path: Path) -> None:
    report = sample_report(diagnostics=None, groups=None)
    report["run"]["seconds"] = float("nan")
    with pytest.raises(ValueError, match="Out of range float"):
        save_report(tmp_path, report)
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_refuses_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match=r"cannot write '.*report\.json': "):
        save_report(tmp_path / "file", sample_report(diagnostics=None, groups=None))


def test_what_was_saved_is_read(tmp_path: Path) -> None:
    report = sample_report(diagnostics=None, groups=None)
    save_report(tmp_path, report)
    assert read_report(tmp_path) == json.loads(json.dumps(report))
    assert {path.name for path in tmp_path.iterdir()} == {REPORT_HTML, REPORT_JSON}
