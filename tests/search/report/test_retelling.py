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
from synthcity.search.report.retelling import NOT_OVER, draw_again
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


def cut(run: Path, kind: str) -> None:
    """Leave of a run what there was before the first event of a kind."""
    lines = (run / JOURNAL).read_bytes().splitlines(keepends=True)
    first = next(at for at, line in enumerate(lines) if f'"kind":"{kind}"'.encode() in line)
    (run / JOURNAL).write_bytes(b"".join(lines[:first]))
    for name in (REPORT_JSON, REPORT_HTML, TEST_SCORES, DIAGNOSTICS):
        (run / name).unlink(missing_ok=True)


@pytest.mark.parametrize("kind", ["baselines", "candidate", "trial_finished", "search_finished", "winner", "verdict"])
def test_the_page_of_a_run_that_is_not_over_tells_how_far_it_is(kind: str, run: Path) -> None:
    cut(run, kind)
    page, why = draw_again(run)
    text = page.read_text()
    assert why == NOT_OVER
    assert "Unfinished: " in text
    assert "trials have ended, and there is no verdict yet." in text
    assert "This page was drawn while the run is not over." in text
    assert "--resume</pre>" in text
    assert 'id="search"' in text
    for said in ('id="scores"', "winner</dt>", "had no end to training", "were not collected", "were not computed"):
        assert said not in text, said
    assert not (run / REPORT_JSON).exists(), "a page is no result"


def test_finals_before_the_verdict_tell_baselines_from_candidates(run: Path, drawn: list[Report]) -> None:
    kinds = {row["name"]: row["kind"] for row in read_report(run)["finals"]}
    cut(run, "verdict")
    draw_again(run)
    assert {row["name"]: row["kind"] for row in drawn[-1]["finals"]} == kinds
    assert (drawn[-1]["verdict"]["challenger"], drawn[-1]["leads"], drawn[-1]["pay"]) == (None, {}, [])


def test_a_run_that_was_left_before_it_began_has_no_page(run: Path) -> None:
    cut(run, "run_started")
    with pytest.raises(RunError, match="was left before it began, so there is nothing to draw"):
        draw_again(run)
