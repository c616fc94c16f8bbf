from __future__ import annotations

import json

import pandas as pd
import pytest

from synthcity.forecast.baselines import baseline
from synthcity.forecast.evaluation.backtest import Backtest, backtest, backtest_prompts
from synthcity.forecast.evaluation.compare import lead, mean_score
from synthcity.forecast.evaluation.summary import Summary, summarise
from synthcity.market.bars import Market
from synthcity.sn50.competitions import get_rules

DAY = 86400
T0 = 1_748_736_000 + 61 * DAY


@pytest.fixture(scope="module")
def summary(market: Market) -> Summary:
    prompts = backtest_prompts("crypto-24h", ["BTC", "ETH"], T0, T0 + 3 * DAY, DAY, 40)
    result = backtest([baseline("trailing"), baseline("reference")], market, prompts, "crypto-24h")
    return summarise(result, "trailing", get_rules())


def test_has_a_line_a_forecaster(summary: Summary) -> None:
    first, second = summary.lines
    assert (first.forecaster, second.forecaster) == ("trailing", "reference")
    assert summary.assets == ("BTC", "ETH")
    assert first.lead is None
    assert second.lead == lead(summary.result.scores, "reference", "trailing")
    assert first.weighted == mean_score(summary.result.scores)["trailing"]
    assert first.plain == pytest.approx(sum(first.by_asset.values()) / 2)
    assert first.share + second.share == pytest.approx(1)
    assert first.share > 0.99


def test_assets_stand_in_the_competition_s_order() -> None:
    scores = pd.DataFrame(
        [
            {"asset": asset, "start_time": 0, "forecaster": "fhs", "total": 1.0}
            for asset in ("DOGE", "HYPE", "BTC", "SOL")
        ]
    )
    result = Backtest(competition="crypto-24h", rules="2026-09", scores=scores, num_prompts=4, dropped=0)
    assert summarise(result, "fhs", get_rules()).assets == ("BTC", "SOL", "HYPE", "DOGE")


def test_goes_into_json_whole(summary: Summary) -> None:
    data = json.loads(json.dumps(summary.to_dict(), allow_nan=False))
    assert len(data["scores"]) == 12
    assert data["scores"][0]["total"] == summary.result.scores["total"].iloc[0]
    # three days are two blocks: no interval, which JSON cannot say as infinity
    assert data["forecasters"][1]["lead"]["low"] is None
    assert data["forecasters"][1]["lead"]["mean"] > 0
