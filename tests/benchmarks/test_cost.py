"""The cost table asks every contestant for the same prompts, each from a history of its own."""

from __future__ import annotations

import pytest

from benchmarks import cost
from synthcity.forecast.baselines import baseline
from synthcity.sn50.competitions import get_competition, get_rules


def test_prompts_lie_apart_and_go_round_the_assets() -> None:
    asked = cost.asked(("BTC", "ETH"), 1_740_000_000, 3)
    assert [prompt.asset for prompt in asked] == ["BTC", "ETH", "BTC"]
    assert asked[2].start_time - asked[0].start_time == 2 * 7500


def test_answers_and_their_parts_are_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    competition = get_competition("crypto-24h", get_rules(None))
    monkeypatch.setattr(cost, "SIMULATED_DAYS", 75)
    market, first = cost.prices(competition, ("BTC",), None)
    prompts = cost.asked(("BTC",), first, 2)
    taken = cost.answers({"fhs": baseline("fhs")}, market, prompts)
    assert len(taken["fhs"]) == 2
    assert min(taken["fhs"]) > 0
    parts = cost.parts(cost.network("summary_gbm", ("BTC",), competition), market, prompts[:1])
    assert [len(each) for each in parts.values()] == [1, 1, 1]
