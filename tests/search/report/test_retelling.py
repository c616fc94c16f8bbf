"""Pages of runs whose ``report.json`` is missing or damaged."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from synthcity.errors import RunError
from synthcity.search.finals.final import DIAGNOSTICS, TEST_SCORES, WINNER
from synthcity.search.journal.folder import RESOLVED
from synthcity.search.journal.journal import JOURNAL
from synthcity.search.report import retelling
from synthcity.search.report.model import Report
from synthcity.search.report.retelling import draw_again
from synthcity.search.report.saving import REPORT_HTML, REPORT_JSON, read_report
from tests.publish.proven import copy_run


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return copy_run(tmp_path / "run")


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Report]:
    """The reports that were drawn, of which the last one counts; drawing them is another test's matter."""
    seen: list[Report] = []

    def write_page(folder: Path, report: Report) -> Path:
        assert report["run"]["name"]
        seen.append(report)
        return folder / REPORT_HTML

    monkeypatch.setattr(retelling, "write_page", write_page)
    return seen


def edited(path: Path) -> None:
    path.write_text(path.read_text().replace('"proven": true', '"proven": false'))


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (Path.unlink, "there is no report.json"),
        (lambda path: path.write_bytes(path.read_bytes()[:-9]), "cannot read the report data"),
        (lambda path: path.write_bytes(b"\xff\0"), "cannot read the report data"),
        (lambda path: path.write_text("[" * 100_000), "cannot read the report data"),
        (lambda path: path.write_text("[]"), "is no report of version"),
        (lambda path: path.write_text('{"schema": 4}'), "is not what was sealed"),
        (edited, "is not what was sealed"),
    ],
    ids=["gone", "torn", "bytes", "tower", "another", "empty", "edited"],
)
def test_the_journal_tells_the_same(
    damage: Callable[[Path], object], said: str, run: Path, drawn: list[Report]
) -> None:
    before = json.loads(json.dumps(read_report(run)))
    damage(run / REPORT_JSON)
    left = (run / REPORT_JSON).read_bytes() if (run / REPORT_JSON).exists() else None
    _, why = draw_again(run)
    assert why.startswith("drawn from the journal, since ")
    assert said in why
    assert why.endswith("; --resume makes report.json again")
    told = json.loads(json.dumps(drawn[-1]))
    assert told["warnings"][0].startswith("This page was drawn from the journal, since")
    assert told["groups"] == {**before["groups"], "by_regime": []}
    for report in (before, told):
        del report["groups"], report["warnings"]  # what needs prices
        del report["run"]["finished"], report["run"]["seconds"]  # with the verdict, which the report is older than
    assert told == before
    assert ((run / REPORT_JSON).read_bytes() if left is not None else None) == left


def test_a_sound_report_is_drawn_as_it_is(run: Path, drawn: list[Report]) -> None:
    (run / TEST_SCORES).unlink()
    (run / TEST_SCORES).mkdir()  # which is no matter of the report's
    assert draw_again(run) == (run / REPORT_HTML, "")
    assert drawn == [read_report(run)]


def test_the_page_is_drawn_even_from_the_journal_alone(run: Path) -> None:
    sentence = read_report(run)["verdict"]["sentence"]
    for name in (REPORT_JSON, REPORT_HTML, TEST_SCORES, DIAGNOSTICS, RESOLVED, f"{WINNER}/manifest.json"):
        (run / name).unlink()
    page = draw_again(run)[0].read_text()
    assert sentence.partition(" on ")[0].replace(" %", "\N{NO-BREAK SPACE}%") in page
    for said in ("No scores are shown: ", "No proposers are shown: ", "The scores of the look are lost"):
        assert said in page


def test_a_run_without_a_journal_is_drawn_from_its_report(run: Path, drawn: list[Report]) -> None:
    (run / JOURNAL).unlink()
    assert draw_again(run)[1] == ""
    (run / REPORT_JSON).write_text("{")
    with pytest.raises(RunError, match=r"cannot read the report data .*; and there is no run in"):
        draw_again(run)


def test_a_run_that_is_not_over_has_no_report(run: Path) -> None:
    (run / REPORT_JSON).unlink()
    lines = (run / JOURNAL).read_bytes().splitlines(keepends=True)
    (run / JOURNAL).write_bytes(b"".join(line for line in lines[:5]))
    with pytest.raises(RunError, match=r"is not over, so there is no report of it; continue it with --resume"):
        draw_again(run)
