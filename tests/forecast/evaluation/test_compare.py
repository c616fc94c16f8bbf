from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synthcity.forecast.evaluation.compare import asset_means, coefficients, lead, mean_score, payout_shares
from synthcity.forecast.evaluation.interval import ratio_interval
from synthcity.sn50.competitions import get_rules

DAY = 86400


def _scores(better_by: float, num_days: int = 60, noise: float = 0.0, seed: int = 0) -> pd.DataFrame:
    """Two assets at two prompts a day; "new" is ``better_by`` of "old", each day with its own luck."""
    rng = np.random.default_rng(seed)
    rows = []
    for day in range(num_days):
        hard, luck = np.exp(0.5 * rng.standard_normal()), noise * rng.standard_normal()
        for half in range(2):
            for asset, level in (("BTC", 1000.0), ("ETH", 3000.0)):
                at = {"asset": asset, "start_time": day * DAY + half * DAY // 2}
                rows.append({**at, "forecaster": "old", "total": level * hard})
                rows.append({**at, "forecaster": "new", "total": level * hard * (1 - better_by + luck)})
    return pd.DataFrame(rows)


def test_mean_score_weighs_as_the_network() -> None:
    scores = pd.DataFrame(
        [
            {"asset": "BTC", "start_time": 0, "forecaster": "a", "total": 100.0},
            {"asset": "ETH", "start_time": 0, "forecaster": "a", "total": 300.0},
            {"asset": "ETH", "start_time": 1, "forecaster": "a", "total": 500.0},
        ]
    )
    eth = get_rules().coefficient("ETH")
    assert abs(mean_score(scores)["a"] - (100 + 800 * eth) / (1 + 2 * eth)) < 1e-9
    assert asset_means(scores).loc["a"].to_dict() == {"BTC": 100.0, "ETH": 400.0}
    assert coefficients(scores) == {"BTC": 1.0, "ETH": eth}


def test_lead_is_negative_for_the_better_one() -> None:
    found = lead(_scores(0.01), "new", "old")
    assert abs(found.mean + 1) < 1e-9
    assert abs(found.low + 1) < 1e-9
    assert abs(found.high + 1) < 1e-9
    assert found.proven
    assert found.by_asset == pytest.approx({"BTC": -1.0, "ETH": -1.0})
    assert (found.num_prompts, found.num_blocks) == (240, 30)
    assert abs(lead(_scores(0.01), "old", "new").mean - 100 / 99) < 1e-9


def test_weights_decide_whose_lead_counts() -> None:
    scores = _scores(0.0)
    scores.loc[(scores["asset"] == "BTC") & (scores["forecaster"] == "new"), "total"] *= 0.9
    assert abs(lead(scores, "new", "old", weights={"BTC": 1.0, "ETH": 0.0}).mean + 10) < 1e-9
    assert abs(lead(scores, "new", "old", weights={"BTC": 1.0, "ETH": 1.0}).mean + 2.5) < 1e-9


def test_pairing_removes_what_both_share() -> None:
    found = lead(_scores(0.01, noise=0.005), "new", "old")
    # days differ by half, luck by half a percent: unpaired, one percent could never be seen
    assert found.low < found.mean < found.high < 0
    assert 0.1 < found.high - found.low < 0.6


def test_the_interval_is_that_of_the_weighted_sums_of_whole_blocks() -> None:
    scores = _scores(0.01, noise=0.005)
    found = lead(scores, "new", "old", confidence=0.9)
    weight = scores["asset"].map(coefficients(scores))
    block = scores["start_time"] // (2 * DAY)
    sums = (weight * scores["total"]).groupby([scores["forecaster"], block]).sum()
    bounds = ratio_interval(sums["new"].to_numpy(), sums["old"].to_numpy(), confidence=0.9)
    assert (found.low, found.high) == pytest.approx([100 * (float(bound) - 1) for bound in bounds], rel=1e-9)
    wider = lead(scores, "new", "old")
    assert wider.low < found.low < found.high < wider.high, "95 % unless asked otherwise"


def test_a_block_keeps_its_days_together() -> None:
    scores = _scores(0.0, noise=0.01)
    assert [lead(scores, "new", "old", block_days=days).num_blocks for days in (1, 2, 5)] == [60, 30, 12]


def test_few_blocks_prove_nothing() -> None:
    found = lead(_scores(0.5, num_days=14), "new", "old")
    assert (found.low, found.high, found.num_blocks) == (-np.inf, np.inf, 7)
    assert not found.proven
    assert lead(_scores(0.5, num_days=16), "new", "old").proven


def test_refuses_unknown_and_unpaired() -> None:
    scores = _scores(0.01)
    with pytest.raises(ValueError, match="unknown forecaster 'nwe'; did you mean 'new'"):
        lead(scores, "nwe", "old")
    with pytest.raises(ValueError, match=r"same prompts; some are missing for \['new'\]"):
        lead(scores.iloc[:-1], "new", "old")


def test_pay_is_a_softmax() -> None:
    scores = pd.DataFrame(
        [
            {"asset": "BTC", "start_time": 0, "forecaster": name, "total": total}
            for name, total in (("b", 5805.8), ("a", 5800.0))
        ]
    )
    shares = payout_shares(scores, -0.15)
    assert list(shares.index) == ["b", "a"]
    assert abs(shares.sum() - 1) < 1e-12
    assert abs(shares["b"] / shares["a"] - 0.419) < 1e-3  # a tenth of a percent is a factor 0.42
    with pytest.raises(ValueError, match=r"beta must be negative .* got 0.15"):
        payout_shares(scores, 0.15)
