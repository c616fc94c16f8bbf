"""The verdict says what the numbers say."""

from __future__ import annotations

from typing import Any

import pytest

from synthcity.forecast.evaluation.compare import lead
from synthcity.search.finals.verdict import difference, judge, score_rows
from tests.search.sample_run import ASSETS, BASELINES, interval, made_scores


def rows_and_leads(percent: float, spread: float = 0.2) -> tuple[Any, Any]:
    rows = score_rows(made_scores(lead=percent), "mix-3", list(BASELINES), {})
    relative = {row["name"]: row["mean"] for row in rows}
    leads = {
        name: {**interval(100 * (relative["mix-3"] / relative[name] - 1), spread), "by_asset": {}} for name in BASELINES
    }
    return rows, leads


def test_a_clear_lead_is_proven_against_every_baseline():
    rows, leads = rows_and_leads(-0.6)
    verdict = judge(rows, leads, "mix-3", frozen="mix-3", num_prompts=655)
    assert verdict["proven"]
    assert verdict["winner"] == "mix-3"
    assert not verdict["winner_is_baseline"]
    assert verdict["best_baseline"] == "fhs"
    assert verdict["sentence"].startswith("Proven: mix-3 scores 0.")
    assert "655 prompts that nobody had looked at" in verdict["sentence"]


def test_a_lead_within_chance_is_not_proven_and_says_against_whom():
    rows, leads = rows_and_leads(-0.6, spread=1.0)
    verdict = judge(rows, leads, "mix-3", frozen="mix-3", num_prompts=655)
    assert not verdict["proven"]
    assert verdict["proven_against"] == {"fhs": False, "ewma": True, "trailing": True, "reference": True}
    assert verdict["sentence"].startswith("Not proven against fhs: mix-3")
    assert verdict["sentence"].endswith("but chance alone can do that.")
    rows, leads = rows_and_leads(-0.6)
    leads["ewma"] |= {"high": 0.1}
    verdict = judge(rows, leads, "mix-3", frozen="mix-3", num_prompts=655)
    assert verdict["sentence"].startswith("Not proven against ewma: mix-3 scores 0.")
    assert verdict["sentence"].endswith("but the lead over ewma may be chance alone."), "which is not the one just told"


def test_a_baseline_that_is_best_is_named_the_winner():
    rows, leads = rows_and_leads(0.8)
    verdict = judge(rows, leads, "mix-3", frozen="mix-3", num_prompts=655)
    assert (verdict["winner"], verdict["winner_is_baseline"], verdict["proven"]) == ("fhs", True, False)
    assert "the baseline fhs wins" in verdict["sentence"]


def test_an_unknown_interval_proves_nothing():
    rows, leads = rows_and_leads(-0.6)
    leads["fhs"] |= {"low": None, "high": None}
    verdict = judge(rows, leads, "mix-3", frozen="mix-3", num_prompts=9)
    assert not verdict["proven"]
    assert "unknown, too few days" in verdict["sentence"]


def test_no_survivor_leaves_the_baseline():
    rows = score_rows(made_scores(), None, list(BASELINES), {})
    verdict = judge(rows, {}, None, frozen="fhs", num_prompts=9)
    assert verdict["winner"] == "fhs"
    assert "no candidate survived" in verdict["sentence"]


def test_a_baseline_frozen_on_validation_stays_the_winner():
    rows, leads = rows_and_leads(-0.6)
    verdict = judge(rows, leads, "mix-3", frozen="ewma", num_prompts=655)
    assert (verdict["winner"], verdict["winner_is_baseline"], verdict["proven"]) == ("ewma", True, False)
    assert all(verdict["proven_against"].values()), "the candidate's clear leads are told as what they are"
    assert "ewma was the best on validation and wins" in verdict["sentence"]


def test_leads_must_cover_all_baselines_and_scores_all_forecasters():
    rows, leads = rows_and_leads(-0.6)
    del leads["ewma"]
    with pytest.raises(ValueError, match="do not cover"):
        judge(rows, leads, "mix-3", frozen="mix-3", num_prompts=1)
    with pytest.raises(ValueError, match="no scores of \\['mix-9'\\]"):
        score_rows(made_scores(), "mix-9", list(BASELINES), {})


def test_means_are_weighted_by_coefficient():
    flat = {row["name"]: row["mean"] for row in score_rows(made_scores(), "mix-3", list(BASELINES), {})}
    weights = dict.fromkeys(("ETH", "SOL", "XRP", "HYPE"), 0.0)
    btc = score_rows(made_scores(), "mix-3", list(BASELINES), weights)
    for row in btc:
        assert row["mean"] == pytest.approx(row["by_asset"]["BTC"])
    assert flat["fhs"] != pytest.approx(btc[0]["mean"])


def test_means_weigh_prompts_as_the_leads_do():
    """Where one asset has more prompts than another, every prompt counts, not every asset."""
    scores = made_scores()
    scores = scores[(scores["asset"] == "BTC") | (scores["start_time"] < scores["start_time"].quantile(0.3))]
    weights = {"BTC": 1.0, "HYPE": 0.5}
    rows = {row["name"]: row for row in score_rows(scores, "mix-3", list(BASELINES), weights)}
    full = {asset: weights.get(asset, 1.0) for asset in ASSETS}
    assert rows["mix-3"]["relative"] == pytest.approx(lead(scores, "mix-3", "fhs", weights=full).mean)


def test_a_simulated_market_is_named_in_every_sentence():
    for percent, frozen in ((-0.6, "mix-3"), (0.8, "mix-3"), (-0.6, "ewma")):
        rows, leads = rows_and_leads(percent)
        real, made_up = (
            judge(rows, leads, "mix-3", frozen=frozen, num_prompts=9, is_simulated=simulated)["sentence"]
            for simulated in (False, True)
        )
        assert "SIMULATED" not in real
        assert "9 prompts of a SIMULATED market" in made_up
    rows = score_rows(made_scores(), None, list(BASELINES), {})
    assert "SIMULATED" in judge(rows, {}, None, frozen="fhs", num_prompts=9, is_simulated=True)["sentence"]


@pytest.mark.parametrize(
    ("mean", "low", "high", "words"),
    [
        (-0.62, -0.82, -0.42, "0.62 % better than fhs (95 % interval 0.42 to 0.82 % better)"),
        (-0.81, -2.19, 0.29, "0.81 % better than fhs (95 % interval 2.19 % better to 0.29 % worse)"),
        (0.30, -0.10, 0.70, "0.30 % worse than fhs (95 % interval 0.10 % better to 0.70 % worse)"),
        (0.50, 0.20, 0.80, "0.50 % worse than fhs (95 % interval 0.20 to 0.80 % worse)"),
    ],
)
def test_an_interval_in_a_sentence_has_words_and_no_signs(mean: float, low: float, high: float, words: str):
    assert difference("mix", "fhs", {"mean": mean, "low": low, "high": high}).endswith(words)
