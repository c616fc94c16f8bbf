"""Who is better, and is it proven: means as the network weighs them, paired intervals, simulated pay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthcity.durations import DAY
from synthcity.errors import unknown_name
from synthcity.forecast.evaluation.interval import ratio_interval
from synthcity.sn50.competitions import Rules, get_rules

Weights = Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Lead:
    """Relative difference of mean scores in percent; NEGATIVE means that the challenger is better.

    ``low`` and ``high`` bound the interval (95 % unless asked otherwise), infinite where there are too few blocks to
    tell; ``by_asset`` holds each asset's own difference, without an interval.
    """

    challenger: str
    baseline: str
    mean: float
    low: float
    high: float
    by_asset: Mapping[str, float]
    num_prompts: int
    num_blocks: int

    @property
    def proven(self) -> bool:
        """Whether the whole interval lies on the challenger's side."""
        return self.high < 0


def coefficients(scores: pd.DataFrame, rules: Rules | None = None) -> dict[str, float]:
    """Return the network's coefficient of every asset in ``scores``."""
    rules = rules or get_rules()
    return {asset: rules.coefficient(asset) for asset in sorted(scores["asset"].unique())}


def asset_means(scores: pd.DataFrame) -> pd.DataFrame:
    """Return mean totals, one row a forecaster (in order of appearance), one column an asset."""
    return scores.groupby(["forecaster", "asset"], sort=False)["total"].mean().unstack("asset")


def mean_score(scores: pd.DataFrame, rules: Rules | None = None) -> pd.Series:
    """Return sum(coefficient * total) / sum(coefficient) over all prompts, by forecaster.

    This is the network's rolling average, taken over the whole period.
    """
    table = _paired(scores)
    weights = _row_weights(table, coefficients(scores, rules))
    return (table.mul(weights, axis=0).sum() / weights.sum()).rename("score")


def lead(
    scores: pd.DataFrame,
    challenger: str,
    baseline: str,
    *,
    block_days: int = 2,
    weights: Weights | None = None,
    confidence: float = 0.95,
) -> Lead:
    """Return 100 * (challenger - baseline) / baseline with a paired interval from blocks of days.

    Prompts are paired, and all assets of ``block_days`` of start times are one block, because 24-hour windows overlap
    and assets move together; see ``forecast.interval``.

    Args:
        scores: as in ``Backtest.scores``.
        challenger: name of the forecaster that wants to be better.
        baseline: name of the one to beat.
        block_days: length of a block, see ``interval.block_days``.
        weights: coefficient by asset; the newest rules' by default.
        confidence: that the interval holds the true difference.

    Raises:
        ValueError: a name is not among the forecasters, or their prompts differ.
    """
    table = _paired(scores)
    for name in (challenger, baseline):
        if name not in table.columns:
            raise ValueError(unknown_name("forecaster", name, table.columns))
    row_weights = _row_weights(table, coefficients(scores) if weights is None else weights)
    both = table[[challenger, baseline]]
    blocks = both.index.get_level_values("start_time") // (block_days * DAY)
    sums = both.mul(row_weights, axis=0).groupby(blocks).sum().to_numpy()
    bounds = ratio_interval(sums[:, 0], sums[:, 1], confidence=confidence)
    low, high = (100 * (float(bound) - 1) for bound in bounds)
    by_asset = both.groupby(level="asset").mean()
    percent = 100 * (by_asset[challenger] / by_asset[baseline] - 1)
    return Lead(
        challenger=challenger,
        baseline=baseline,
        mean=float(100 * (sums[:, 0].sum() / sums[:, 1].sum() - 1)),
        low=low,
        high=high,
        by_asset={str(asset): float(value) for asset, value in percent.items()},
        num_prompts=len(both),
        num_blocks=len(sums),
    )


def payout_shares(scores: pd.DataFrame, beta: float, rules: Rules | None = None) -> pd.Series:
    """Return softmax(beta * mean score) over the forecasters compared, summing to 1.

    What they would split if they were the only miners and had this average: the gap between two forecasters
    decides, and every miner's subtracted minimum is the same. ``beta`` is negative.

    Raises:
        ValueError: ``beta`` is not negative.
    """
    if beta >= 0:
        raise ValueError(f"beta must be negative (a low score is paid), got {beta}")
    means = mean_score(scores, rules)
    pay = np.exp(beta * (means.to_numpy() - means.min()))
    return pd.Series(pay / pay.sum(), index=means.index, name="share")


def _paired(scores: pd.DataFrame) -> pd.DataFrame:
    """Return totals (prompts, forecasters), forecasters in order of appearance."""
    order = list(scores["forecaster"].unique())
    table = scores.pivot(index=["start_time", "asset"], columns="forecaster", values="total")[order]
    if table.isna().to_numpy().any():
        lacking = table.columns[table.isna().any()].tolist()
        raise ValueError(f"forecasters must be scored on the same prompts; some are missing for {lacking}")
    return table


def _row_weights(table: pd.DataFrame, weights: Weights) -> pd.Series:
    assets = table.index.get_level_values("asset")
    return pd.Series([weights[asset] for asset in assets], index=table.index, dtype=np.float64)
