"""Leads by hour and volatility regime on scores whose differences are known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synthcity.forecast.evaluation.interval import MIN_BLOCKS
from synthcity.forecast.evaluation.regimes import lead_by_group, trailing_volatility
from synthcity.market.bars import History
from synthcity.sn50.prompt import Prompt

HOUR = 3600
STARTS = [11 * HOUR * i for i in range(240)]


def table(ratio) -> pd.DataFrame:
    """Scores of "net" that are ``ratio(asset, start)`` times those of "fhs"."""
    rows = []
    for asset, level in (("BTC", 3000.0), ("ETH", 5000.0)):
        for i, start in enumerate(STARTS):
            base = level * (1 + 0.3 * np.sin(i))
            rows.append((asset, start, "fhs", base))
            rows.append((asset, start, "net", base * ratio(asset, start)))
    return pd.DataFrame(rows, columns=["asset", "start_time", "forecaster", "total"])


def test_each_hour_shows_its_own_lead():
    scores = table(lambda asset, start: 0.99 if start // HOUR % 24 < 12 else 1.02)
    groups = lead_by_group(scores, "net", "fhs", {}, weights={})
    leads = {row["group"]: row["lead"] for row in groups["by_hour"]}
    assert leads == pytest.approx({f"{h:02d}": -1.0 if h < 12 else 2.0 for h in range(24)})
    assert groups["by_regime"] == []  # no volatility is known


def test_regimes_are_terciles_within_each_asset():
    rank = {start: i for i, start in enumerate(STARTS)}
    volatility = {(a, s): rank[s] * (10.0 if a == "ETH" else 1.0) for a in ("BTC", "ETH") for s in STARTS}
    scores = table(lambda asset, start: 1.0 - 0.01 * (rank[start] // 80))
    rows = lead_by_group(scores, "net", "fhs", volatility, weights={})["by_regime"]
    assert [(row["group"], row["count"]) for row in rows] == [("calm", 160), ("middle", 160), ("stormy", 160)]
    assert [row["lead"] for row in rows] == pytest.approx([0.0, -1.0, -2.0], abs=1e-9)


def test_assets_count_by_their_weight():
    scores = table(lambda asset, start: 0.9 if asset == "BTC" else 1.0)
    alone = lead_by_group(scores, "net", "fhs", {}, weights={"BTC": 1.0, "ETH": 0.0})
    assert [row["lead"] for row in alone["by_hour"]] == pytest.approx([-10.0] * 24)


def test_interval_covers_the_lead_and_widens_with_noise():
    rng = np.random.default_rng(0)
    noise = {(a, s): rng.normal(0, 0.02) for a in ("BTC", "ETH") for s in STARTS}
    scores = table(lambda asset, start: 0.99 + noise[asset, start])
    rows = lead_by_group(scores, "net", "fhs", {}, weights={})["by_hour"]
    assert all(row["low"] < row["lead"] < row["high"] for row in rows)
    assert sum(row["low"] <= -1.0 <= row["high"] for row in rows) >= 18


def test_few_blocks_have_no_interval():
    scores = table(lambda asset, start: 0.9).query(f"start_time < {2 * (MIN_BLOCKS - 1) * 24 * HOUR}")
    row = lead_by_group(scores, "net", "fhs", {}, weights={})["by_hour"][0]
    assert (row["low"], row["high"]) == (None, None)


def test_missing_scores_are_refused():
    scores = table(lambda asset, start: 1.0)
    with pytest.raises(ValueError, match="no scores of 'nte'"):
        lead_by_group(scores, "nte", "fhs", {}, weights={})
    apart = scores[(scores["forecaster"] == "fhs") == (scores["start_time"] < 1000 * HOUR)]
    with pytest.raises(ValueError, match="share no prompt"):
        lead_by_group(apart, "net", "fhs", {}, weights={})


def test_trailing_volatility_sees_one_day_and_no_jump_over_a_gap():
    index = pd.date_range("2025-01-01", periods=3 * 288, freq="5min", tz="UTC")
    step = np.arange(len(index))
    steps = np.where(step % 2 == 0, 1, -1) * np.where(step < 500, 0.05, 0.001)
    prices = pd.Series(100 * np.exp(np.cumsum(steps)), index=index)
    prices.iloc[700:] *= 2.0
    gapped = prices.drop(prices.index[699])
    prompt = Prompt(asset="BTC", start_time=int(index[-1].timestamp()))
    assert trailing_volatility(gapped, prompt) == pytest.approx(0.001, rel=1e-6)


def test_trailing_volatility_of_nothing_recent_is_unknown():
    index = pd.date_range("2025-01-01", periods=10, freq="5min", tz="UTC")
    history = History.from_series("BTC", pd.Series(100.0, index=index))
    history.now += 5 * 86400
    assert np.isnan(trailing_volatility(history, Prompt(asset="BTC", start_time=history.now)))


def test_hours_with_few_start_times_are_told_together() -> None:
    scores = table(lambda asset, start: 0.99).query(f"start_time < {11 * HOUR * 100}")  # about four starts an hour
    rows = lead_by_group(scores, "net", "fhs", {}, weights={})["by_hour"]
    assert [row["group"] for row in rows] == ["00-03", "03-06", "06-09", "09-12", "12-15", "15-18", "18-21", "21-24"]
    assert all(row["count"] >= 2 * 10 for row in rows)
    assert sum(row["count"] for row in rows) == 200
