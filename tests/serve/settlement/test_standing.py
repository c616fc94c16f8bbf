from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synthcity.serve.settlement.standing import standings
from synthcity.sn50.competitions import get_rules
from synthcity.sn50.leaderboard import rolling_average

NOW = 1_763_640_000
DAY = 86400


def rows(*found: tuple[str, int, float], competition: str = "crypto-1h", sent: bool = True) -> pd.DataFrame:
    """Scores of (asset, seconds before NOW of the start, total)."""
    return pd.DataFrame(
        [
            {
                "asset": asset,
                "start_time": NOW - ago,
                "time_length": 3600 if competition == "crypto-1h" else DAY,
                "competition": competition,
                "total": total,
                "sent": sent,
            }
            for asset, ago, total in found
        ]
    )


def test_the_average_is_weighted_by_the_networks_coefficients():
    (found,) = standings(rows(("BTC", 7200, 500.0), ("ETH", 7200, 900.0), ("BTC", 36000, 700.0)), NOW)
    rules = get_rules()
    weights = [rules.coefficient(asset) for asset in ("BTC", "ETH", "BTC")]
    assert found.average == pytest.approx(np.average([500.0, 900.0, 700.0], weights=weights))
    assert found.by_asset == {"BTC": 600.0, "ETH": 900.0}
    assert (found.competition, found.num_answers, found.num_buckets) == ("crypto-1h", 3, 3)


def test_differences_of_two_miners_are_those_of_the_networks_rolling_average():
    """A common shift of each prompt (the best score) drops out of the difference."""
    rng = np.random.default_rng(0)
    assets = ["BTC", "ETH", "SOL"] * 20
    raw = rng.uniform(400, 600, size=(60, 3))
    averages = rolling_average(raw, assets)
    own = [
        standings(rows(*((a, 7200 + 1200 * k, t) for k, (a, t) in enumerate(zip(assets, raw[:, i], strict=True)))), NOW)
        for i in (0, 1)
    ]
    assert own[0][0].average - own[1][0].average == pytest.approx(averages[0] - averages[1], abs=1e-9)


def test_a_bucket_counts_once_however_often_it_was_asked_for():
    often = [("BTC", 7200 - 60 * k, 100.0 + k) for k in range(1, 10)]
    (found,) = standings(rows(*often, ("BTC", 36000, 300.0)), NOW)
    assert (found.num_answers, found.num_buckets) == (10, 2)
    assert found.average == pytest.approx((105.0 + 300.0) / 2)


def test_only_what_was_sent_is_valid_and_ended_in_the_window_counts():
    inside, outside = 5 * DAY + 3600 - 1, 5 * DAY + 3600
    table = pd.concat(
        [
            rows(("BTC", inside, 100.0), ("BTC", outside, 900.0), ("BTC", 3000, 900.0), ("BTC", 9000, -1.0)),
            rows(("BTC", 7200, 900.0), sent=False),
            rows(("BTC", 5 * DAY, 4000.0), competition="crypto-24h"),
        ]
    )
    found = {standing.competition: standing for standing in standings(table, NOW)}
    assert found.keys() == {"crypto-1h", "crypto-24h"}
    assert found["crypto-1h"].average == 100.0
    assert found["crypto-1h"].num_invalid == 1
    assert found["crypto-24h"].average == 4000.0


def test_without_a_score_there_is_no_standing():
    assert standings(rows(("BTC", 7200, -1.0)), NOW) == []
