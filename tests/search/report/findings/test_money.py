"""What a lead means in money."""

from __future__ import annotations

from typing import Any

import pytest

from synthcity.search.report.findings.money import pay_rows, pay_sentence

ROWS: list[Any] = [
    {"name": "mix", "kind": "candidate", "by_asset": {}, "mean": 4975.0, "relative": -0.5},
    {"name": "fhs+q", "kind": "baseline", "by_asset": {}, "mean": 5000.0, "relative": 0.0},
    {"name": "fhs", "kind": "baseline", "by_asset": {}, "mean": 5010.0, "relative": 0.2},
    {"name": "ewma", "kind": "baseline", "by_asset": {}, "mean": 5050.0, "relative": 1.0},
]
LEADS: Any = {"fhs+q": {"mean": -0.5, "low": -0.8, "high": -0.1, "by_asset": {}}}


def test_each_kind_of_baseline_is_paid_once_in_its_better_form() -> None:
    pay = pay_rows(ROWS, LEADS, "mix", -0.1)
    assert [row["name"] for row in pay] == ["mix", "fhs+q", "ewma"]
    assert sum(row["share"] for row in pay) == pytest.approx(1.0)
    assert pay[0]["share"] / pay[1]["share"] == pytest.approx(12.182, rel=1e-3)  # e ** 2.5
    low, high = pay[0]["low"], pay[0]["high"]
    assert low is not None
    assert high is not None
    assert low < pay[0]["share"] < high


def test_the_sentence_says_whose_pay_it_is_and_where_the_market_was_made_up() -> None:
    pay = pay_rows(ROWS, LEADS, "mix", -0.1)
    real, made_up = (pay_sentence(pay, "crypto-24h", is_simulated=simulated) for simulated in (False, True))
    assert "the network would pay mix 92 % of what crypto-24h pays (95 % interval 62 to 98 %) and fhs+q 8 %" in real
    assert real.endswith("The real miners leave less of it: `synthcity replay` says how much.")
    assert "on this SIMULATED market" in made_up
    assert "replay" not in made_up


def test_nothing_is_paid_where_no_candidate_survived_and_an_unknown_interval_is_told_so() -> None:
    assert pay_rows(ROWS, {}, None, -0.1) == []
    unknown: Any = {"fhs+q": {"mean": -0.5, "low": None, "high": None, "by_asset": {}}}
    assert "(interval unknown)" in pay_sentence(pay_rows(ROWS, unknown, "mix", -0.1), "x", is_simulated=True)
