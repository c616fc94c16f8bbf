from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synthcity.errors import DataError
from synthcity.serve.settlement.rank import simulated_rank
from synthcity.sn50.competitions import get_competition, get_rules
from synthcity.sn50.leaderboard import payout, rolling_average

NOW = 1_795_348_800
DAY = 86400
HOUR = get_competition("crypto-1h")
STARTS = [NOW - 7200 - 600 * k for k in range(30)]
ASSETS = ["BTC", "ETH", "HYPE"] * 10


@pytest.fixture
def raw() -> np.ndarray:
    """Scores (prompts, miners); the last miner is us."""
    return np.random.default_rng(0).uniform(400, 600, size=(30, 6)) + 20 * np.arange(6)


def public(raw: np.ndarray, starts: list[int] = STARTS) -> pd.DataFrame:
    rows = [
        (asset, start, miner, raw[k, miner])
        for k, (asset, start) in enumerate(zip(ASSETS, starts, strict=True))
        for miner in range(raw.shape[1] - 1)
    ]
    return pd.DataFrame(rows, columns=["asset", "start_time", "miner", "total"])


def ours(totals: np.ndarray, starts: list[int] = STARTS, competition: str = "crypto-1h") -> pd.DataFrame:
    return pd.DataFrame({"asset": ASSETS, "start_time": starts, "total": totals, "competition": competition})


def test_the_rank_is_that_of_the_networks_own_rolling_average(raw):
    raw[3, 2] = -1.0
    found = simulated_rank(public(raw), ours(raw[:, -1]), HOUR, NOW)
    averages = rolling_average(raw, ASSETS)
    assert found.average == pytest.approx(averages[-1])
    assert found.rank == 1 + (averages[:-1] < averages[-1]).sum() == 6
    assert (found.num_miners, found.num_prompts, found.num_unmatched) == (6, 30, 0)
    assert (found.best, found.median) == pytest.approx((averages[:-1].min(), np.median(averages[:-1])))
    assert found.share == pytest.approx(payout({"crypto-1h": averages})[-1])


def test_a_better_forecast_ranks_first(raw):
    assert simulated_rank(public(raw), ours(raw.min(axis=1) - 1), HOUR, NOW).rank == 1


def test_another_answer_of_the_bucket_stands_in_and_none_of_another(raw):
    buckets = [start - start % 600 for start in STARTS]
    near = simulated_rank(public(raw, buckets), ours(raw[:, -1], [start + 240 for start in buckets]), HOUR, NOW)
    exact = simulated_rank(public(raw, buckets), ours(raw[:, -1], buckets), HOUR, NOW)
    assert near == exact
    with pytest.raises(DataError, match="none of 30 public prompts of crypto-1h has a settled answer of ours"):
        simulated_rank(public(raw, buckets), ours(raw[:, -1], [start - 60 for start in buckets]), HOUR, NOW)


def test_prompts_without_an_answer_of_ours_are_left_out_for_all_and_counted(raw):
    found = simulated_rank(public(raw), ours(raw[:, -1]).iloc[:20], HOUR, NOW)
    assert (found.num_prompts, found.num_unmatched) == (20, 10)
    assert found.average == pytest.approx(rolling_average(raw[:20], ASSETS[:20])[-1])


def test_our_own_public_scores_are_not_another_miner(raw):
    assert simulated_rank(public(raw), ours(raw[:, 0]), HOUR, NOW, own_miner=0).num_miners == 5


def test_prompts_outside_the_window_and_other_competitions_do_not_count(raw):
    old = [start - HOUR.window_days * DAY for start in STARTS]
    with pytest.raises(DataError, match="none of 0 public prompts"):
        simulated_rank(public(raw, old), ours(raw[:, -1], old), HOUR, NOW)
    with pytest.raises(DataError, match="none of 30"):
        simulated_rank(public(raw), ours(raw[:, -1], competition="crypto-24h"), HOUR, NOW)


def test_a_newcomer_among_the_others_is_charged_as_the_network_does(raw):
    table = public(raw)
    late = table[~((table["miner"] == 1) & (table["start_time"] < NOW - 12000))]
    gappy = raw.copy()
    gappy[np.array(STARTS) < NOW - 12000, 1] = np.nan
    found = simulated_rank(late, ours(raw[:, -1]), HOUR, NOW, rules=get_rules())
    assert found.median == pytest.approx(np.median(rolling_average(gappy, ASSETS)[:-1]))
