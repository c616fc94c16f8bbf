"""The page is one file that loads nothing and shows everything."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from synthcity.search.journal.history import TrialHistory
from synthcity.search.report.figures import sections
from synthcity.search.report.saving import save_report
from tests.search.sample_run import journal, lead_tables, made_scores, repair_events, sample_report


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("run")
    report = sample_report(
        command="synthcity search <b>x</b>.yaml", history=TrialHistory.replay([*journal(), *repair_events()])
    )
    return save_report(folder, report).read_text(encoding="utf-8")


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the plots out, which are most of the work, where a test reads what stands beside them."""
    monkeypatch.setattr(sections, "draw", lambda name, build, *data, **named: "<svg></svg>")


def test_the_page_is_self_contained_and_escaped(page: str):
    assert not re.search(r"""(src|href)\s*=\s*["']?(https?:|//)""", page)
    assert "@import" not in page
    assert "<b>x</b>" not in page
    assert "&lt;b&gt;x&lt;/b&gt;" in page
    assert "Traceback &lt;x&gt;" in page


def test_the_page_shows_every_part(page: str):
    for text in (
        "Proven",
        "fhs",
        "lstm",
        "TrialFailed",
        "the same network as c0003",
        "c0003",
        "2025-11-01",
        "0.1.0",
        "rules of 2026-09",
        "Money spent on a language model",
        "was away: cold &lt;model&gt;",
        "What became of the failed trials",
        "training.learning_rate 0.004 to 0.001",
        "no &lt;patch&gt;",
        "Limits that failures have set",
        "beside mix-3 what fhs+q answered, on one scale",
        "The price itself, by the time since the prompt",
        "prices after 24 h (18)",
        "Training loss of the same",
        "What went together: a line a network",
        "BTC 131</text>",
    ):
        assert text in page, text
    assert page.count("<svg") > 10


def tags(page: str) -> dict[str, str]:
    """What the page says beside the lead over each baseline."""
    found = re.findall(r"over ([\w+]+): [^<]*<span class=\"tag[^>]*>([^<]+)</span>", page)
    return dict(found)


@pytest.mark.usefixtures("undrawn")
def test_the_page_says_proven_only_of_what_is(tmp_path: Path):
    report = sample_report(diagnostics=None, groups=None)
    assert tags(save_report(tmp_path, report).read_text()) == dict.fromkeys(report["leads"], "proven")
    leads = {name: {**lead, "high": abs(lead["low"])} for name, lead in report["leads"].items()}
    unsure = sample_report(diagnostics=None, groups=None, leads={**report["leads"], "fhs": leads["fhs"]})
    page = save_report(tmp_path, unsure).read_text()
    assert tags(page) == {**dict.fromkeys(report["leads"], "proven"), "fhs": "not proven"}
    assert '<p class="verdict open">Not proven against fhs' in page
    unknown = {name: {**lead, "low": None, "high": None} for name, lead in report["leads"].items()}
    page = save_report(tmp_path, sample_report(diagnostics=None, groups=None, leads=unknown)).read_text()
    assert set(tags(page).values()) == {"not proven"}
    assert page.count('<span class="below">too few days for an interval') == len(unknown)


@pytest.mark.usefixtures("undrawn")
def test_a_lead_that_is_not_proven_is_not_called_so_on_the_page(tmp_path: Path):
    leads = lead_tables(made_scores())
    for name in ("fhs", "ewma"):
        leads[name] = {**leads[name], "high": 0.1}
    report = sample_report(leads=leads, diagnostics=None, groups=None)
    page = save_report(tmp_path, report).read_text(encoding="utf-8")
    assert report["verdict"]["proven_against"] == {"fhs": False, "ewma": False, "trailing": True, "reference": True}
    tags = re.findall(r'over (\w+): [^<]*<span class="tag ?(\w*) ?">([^<]*)</span>', page)
    assert [(name, text) for name, _, text in tags] == [
        ("fhs", "not proven"), ("ewma", "not proven"), ("trailing", "proven"), ("reference", "proven"),
    ]  # fmt: skip
    assert 'class="verdict open"' in page
    assert "Not proven against fhs, ewma" in page


@pytest.mark.usefixtures("undrawn")
def test_a_simulated_market_is_told_where_it_cannot_be_missed(tmp_path: Path):
    real = save_report(tmp_path, sample_report(diagnostics=None, groups=None, venues=["binance"]))
    assert "SIMULATED" not in real.read_text()
    report = sample_report(diagnostics=None, groups=None, venues=["simulated"])
    header = save_report(tmp_path, report).read_text().split("</header>")[0]
    assert "<strong>SIMULATED market</strong>" in header
    assert "of a SIMULATED market that nobody had looked at" in header
    assert report["run"]["is_simulated"]
    assert report["run"]["venues"] == ["simulated"]


def test_too_few_days_draw_no_band(tmp_path: Path):
    report = sample_report(groups=None)
    assert all(row["low"] == [] for row in report["diagnostics"]["pit"])
    assert "in the central 90" in save_report(tmp_path, report).read_text()


def test_the_marks_of_a_trial_are_found_by_its_id_wherever_it_stands(page: str):
    row = '<tr data-trial="c0003">'
    assert row in page
    places = page.count('data-trial="c0003"')
    assert places > 6  # both courses, both curves, lane, parallel coordinates, a slice at least
    assert page.count('<g data-trial="c0003"><title>') == places - 1


def test_a_report_of_an_earlier_version_that_lacks_the_newer_figures_is_drawn(tmp_path: Path):
    report = sample_report(groups=None)
    for name in ("losses", "parameters", "importance", "lanes", "horizons", "pay"):
        del report[name]
    del report["run"]["prompts"]
    for name in ("levels", "rival"):
        del report["diagnostics"][name]
    for fan in report["diagnostics"]["fans"]:
        del fan["rival"]
    page = save_report(tmp_path, report).read_text()
    assert "Forecasts beside what happened" in page
    assert "BTC 131" not in page
