"""The report is one file that loads nothing and shows everything."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from synthcity.search.finals.choice import RULE, why
from synthcity.search.journal.history import TrialHistory
from synthcity.search.proposers.stall import again
from synthcity.search.report.saving import save_report
from tests.search.builders import candidate, tell
from tests.search.sample_run import BEGIN, journal, sample_report


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
    inputs = {"kind": "inputs", "forecaster": "har-inputs", "inputs": [], "time": BEGIN}
    history = TrialHistory.replay([*events, inputs, lucky, told, frozen])
    report = sample_report(history=history, diagnostics=None, groups=None)
    assert [(row["name"], row["frozen"]) for row in report["finals"][:2]] == [("c0001", False), ("mix-3", True)]
    page = save_report(tmp_path, report).read_text(encoding="utf-8")
    (marked,) = re.findall(r'<tr class="winner"><th scope="row">([\w-]+) <span class="tag">frozen', page)
    assert marked == "mix-3"
    assert RULE in page
    assert "Of the user&#39;s library no input is used." in page
    assert "mix-3 is frozen with 5509.0 on fresh validation prompts" in page


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ({"c0001": 0.6, "har-inputs": 0.4}, "is 40 % of the mix, which is frozen."),
        ({"c0001": 0.6, "c0003": 0.4}, "is no part of the mix."),
    ],
)
def test_inputs_of_the_library_are_told_with_their_digests(weights: dict[str, float], said: str):
    used = [{"name": "cycle-7-1-0a1b2c", "made_by": "recipe", "sha256": "ab" * 32}]
    events = [event for event in journal() if event["kind"] not in ("mix", "winner")]
    events.append({"kind": "inputs", "forecaster": "har-inputs", "inputs": used, "time": BEGIN})
    events.append({"kind": "mix", "members": list(weights), "weights": list(weights.values()), "time": BEGIN})
    events.append({"kind": "winner", "name": "mix", "bundle": "winner", "time": BEGIN})
    report = sample_report(history=TrialHistory.replay(events), diagnostics=None, groups=None)
    assert report["kept_inputs"] == used
    assert report["inputs"] == (
        f"Of the user's library har-inputs knows cycle-7-1-0a1b2c (recipe, sha256 abababababab); har-inputs {said}"
    )
    told = [{**event, "networks": True} if event["kind"] == "inputs" else event for event in events]
    columns = sample_report(history=TrialHistory.replay(told), diagnostics=None, groups=None)
    assert columns["inputs"].startswith("Of the user's library networks and har-inputs know cycle-7-1-0a1b2c (recipe")
    nothing = [{**event, "inputs": []} if event["kind"] == "inputs" else event for event in events]
    empty = sample_report(history=TrialHistory.replay(nothing), diagnostics=None, groups=None)
    assert empty["inputs"] == "Of the user's library no input is used."


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


def test_who_is_ahead_is_told_by_the_mean_of_its_seeds():
    known = [{"kind": "baselines", "time": 0.0, "scores": {"fhs": 5000.0}}]
    known += [*tell(candidate(0), 5000.0), *tell(candidate(1), 5010.0), *tell(candidate(2), 5100.0, status="stopped")]
    for parent, score in ((0, 5080.0), (1, 5010.0)):
        history = TrialHistory.replay(known)
        known += tell(again(history.records[parent], history), score)
    report = sample_report(history=TrialHistory.replay(known), diagnostics=None, groups=None)
    assert report["best_trial"] == "c0001"
    assert [row["relative"] for row in report["trials"]] == pytest.approx([0.0, 0.2, 2.0, 1.6, 0.2])
    # a second seed costs 40 in the mean, and nobody gains from the only rung on
    assert [row["whole"] for row in report["trials"]] == pytest.approx([0.4, -0.2, 2.0, 0.4, -0.2])
