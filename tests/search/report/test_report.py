"""The report is one file that loads nothing and shows everything."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from synthcity.errors import RunError
from synthcity.search.finals.choice import RULE, why
from synthcity.search.journal.history import TrialHistory
from synthcity.search.report.saving import REPORT_HTML, save_report, write_report
from tests.search.sample_run import BEGIN, journal, lead_tables, made_scores, repair_events, sample_report


def test_finals_show_scores_weights_and_the_frozen_one_first():
    rows = sample_report(diagnostics=None, groups=None)["finals"]
    assert [row["name"] for row in rows[:4]] == ["mix-3", "c0001", "c0003", "fhs"]
    assert [row["weight"] for row in rows[:4]] == [None, 0.7, 0.3, None]
    assert rows[0]["relative"] == pytest.approx(100 * (5509 / 5540 - 1))
    assert [row["kind"] for row in rows[2:4]] == ["candidate", "baseline"]


def test_the_row_that_is_marked_is_the_frozen_one_and_the_rule_is_told(tmp_path: Path):
    events = [e for e in journal() if e["kind"] not in ("chosen", "winner")]
    scores = {e["name"]: e["score"] for e in events if e["kind"] == "finalist"}
    chosen = {"name": "mix-3", "challenger": "mix-3", "best_single": "c0001", "best_baseline": "fhs"}
    lucky = {"kind": "finalist", "name": "c0001", "id": "c0001", "score": 5500.0, "time": BEGIN}
    told = {"kind": "chosen", **chosen, "why": why("mix-3", {**scores, "c0001": 5500.0}), "time": BEGIN}
    frozen = {"kind": "winner", "name": "mix-3", "bundle": "winner", "time": BEGIN}
    history = TrialHistory.replay([*events, lucky, told, frozen])
    report = sample_report(history=history, diagnostics=None, groups=None)
    assert [(row["name"], row["frozen"]) for row in report["finals"][:2]] == [("c0001", False), ("mix-3", True)]
    page = save_report(tmp_path, report).read_text(encoding="utf-8")
    (marked,) = re.findall(r'<tr class="winner"><th scope="row">([\w-]+) <span class="tag">frozen', page)
    assert marked == "mix-3"
    assert RULE in page
    assert "mix-3 is frozen with 5509.0 on fresh validation prompts: c0001 scores 5500.0 there" in page


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


def test_refusals_are_grouped_by_stage_and_show_their_reasons():
    groups = sample_report(diagnostics=None, groups=None)["rejections"]
    assert [(group["stage"], group["count"], group["sources"]) for group in groups] == [
        ("duplicate", 2, {"tpe": 2}),
        ("config", 1, {"tpe": 1}),
    ]
    assert [example["reason"] for example in groups[0]["examples"]] == ["the same network as c0003", "as c0004"]


def test_what_went_wrong_is_said():
    troubles = [
        {"kind": "worker_died", "id": "c0001", "time": BEGIN + 9},
        {"kind": "worker_died", "id": "c0002", "time": BEGIN + 10},
        {"kind": "proposer_failed", "source": "tpe", "error": "ValueError: no", "time": BEGIN + 11},
        {"kind": "run_interrupted", "reason": "KeyboardInterrupt", "time": BEGIN + 12},
    ]
    report = sample_report(
        history=TrialHistory.replay([*journal(), *troubles]), warnings=["a note"], diagnostics=None, groups=None
    )
    text = "\n".join(report["warnings"])
    for part in ("a note", "died twice (in c0001, c0002)", "tpe failed once, last with: ValueError: no"):
        assert part in text, part
    assert "interrupted once, last by: KeyboardInterrupt" in text


def test_a_learning_curve_shows_each_rungs_own_score():
    events = journal()
    for event in events:
        if event["kind"] == "rung":
            event["rung_score"] = event["score"] + 1.0  # the score is the best so far
    plain, own = (
        sample_report(history=TrialHistory.replay(e), diagnostics=None, groups=None)["trials"][0]
        for e in (journal(), events)
    )
    assert [score - 1.0 for _, score in own["curve"]] == pytest.approx([score for _, score in plain["curve"]])


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("run")
    report = sample_report(
        command="synthcity search <b>x</b>.yaml", history=TrialHistory.replay([*journal(), *repair_events()])
    )
    return save_report(folder, report).read_text(encoding="utf-8")


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
    ):
        assert text in page, text
    assert page.count("<svg") > 10


def tags(page: str) -> dict[str, str]:
    """What the page says beside the lead over each baseline."""
    found = re.findall(r"over ([\w+]+): [^<]*<span class=\"tag[^>]*>([^<]+)</span>", page)
    return dict(found)


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
    assert page.count("too few days for an interval") == len(unknown)


def test_a_simulated_market_is_told_where_it_cannot_be_missed(tmp_path: Path):
    real = save_report(tmp_path, sample_report(diagnostics=None, groups=None, venues=["binance"]))
    assert "SIMULATED" not in real.read_text()
    report = sample_report(diagnostics=None, groups=None, venues=["simulated"])
    header = save_report(tmp_path, report).read_text().split("</header>")[0]
    assert "<strong>SIMULATED market</strong>" in header
    assert "of a SIMULATED market that nobody had looked at" in header
    assert report["run"]["is_simulated"]
    assert report["run"]["venues"] == ["simulated"]


def test_a_report_of_an_earlier_version_is_drawn_too(tmp_path: Path):
    report = sample_report(diagnostics=None, groups=None)
    for key in ("venues", "is_simulated"):
        del report["run"][key]
    assert "SIMULATED" not in save_report(tmp_path, report).read_text()


def test_too_few_days_draw_no_band(tmp_path: Path):
    report = sample_report(groups=None)
    assert all(row["low"] == [] for row in report["diagnostics"]["pit"])
    assert "in the central 90" in save_report(tmp_path, report).read_text()


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
