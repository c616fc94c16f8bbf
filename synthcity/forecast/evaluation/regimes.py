"""Where a lead comes from: by hour of day of the prompt and by how volatile the market was when it came."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

import numpy as np
import pandas as pd

from synthcity.durations import DAY
from synthcity.forecast.evaluation.interval import ratio_interval
from synthcity.forecast.forecaster import as_history
from synthcity.market.bars import Prices
from synthcity.sn50.prompt import Prompt

_WIDTHS = (1, 2, 3, 4, 6)  # hours of a group
_STARTS = 10  # start times that a group has at least, since three nights prove nothing
REGIMES = ("calm", "middle", "stormy")


def trailing_volatility(history: Prices, prompt: Prompt) -> float:
    """Root mean square log return a grid step over the 24 hours that end at ``history.now``; NaN if unknown.

    Only neighbouring bars count, so a night without trading adds no jump.
    """
    view = as_history(history, prompt)
    bars = view.bars(prompt.asset, prompt.time_increment)
    first = int(np.searchsorted(bars.observed, view.now - DAY))
    recent = bars.slice(first, len(bars))
    adjacent = np.diff(recent.time) == prompt.time_increment
    returns = np.diff(np.log(recent.close))[adjacent]
    return float(np.sqrt(np.mean(returns**2))) if len(returns) else float("nan")


class GroupRow(TypedDict):
    """The lead in one hour of the day or one volatility regime; see :func:`lead_by_group`."""

    group: str
    count: int
    lead: float
    low: float | None
    high: float | None


class GroupsTold(TypedDict):
    """What :func:`lead_by_group` returns."""

    challenger: str
    baseline: str
    by_hour: list[GroupRow]
    by_regime: list[GroupRow]


def lead_by_group(
    scores: pd.DataFrame,
    challenger: str,
    baseline: str,
    volatility: Mapping[tuple[str, int], float],
    *,
    weights: Mapping[str, float],
    block_days: int = 2,
) -> GroupsTold:
    """Lead of ``challenger`` over ``baseline`` by hour of day and by volatility regime, as plain JSON data.

    Args:
        scores: long form with columns asset, start_time (unix seconds), forecaster, total.
        challenger: forecaster whose lead is asked.
        baseline: forecaster it is compared with, prompt by prompt.
        volatility: trailing volatility at the prompt by (asset, start_time); regimes are its terciles within
            each asset, so that a restless asset does not fill one regime alone. NaN belongs to no regime.
        weights: coefficient of each asset.
        block_days: length of a block, see ``interval.block_days``.

    Returns:
        ``{"challenger", "baseline", "by_hour": rows, "by_regime": rows}``, hours being told
        together where an hour alone has too few start times, and a row being ``{group, count, lead,
        low, high}`` with the lead in percent, 100 (challenger - baseline) / baseline, negative when better; the 95 %
        interval is None where there are too few blocks for one.

    Raises:
        ValueError: a forecaster has no scores, or the two share no prompt.
    """
    pairs = _pairs(scores, challenger, baseline)
    pairs["weight"] = [weights.get(asset, 1.0) for asset in pairs["asset"]]
    pairs["block"] = pairs["start_time"] // (DAY * block_days)
    pairs["hour"] = pairs["start_time"] % DAY // 3600
    known = [volatility.get(key, np.nan) for key in zip(pairs["asset"], pairs["start_time"], strict=True)]
    rank = pd.Series(known, index=pairs.index, dtype=np.float64).groupby(pairs["asset"]).rank(pct=True)
    pairs["regime"] = np.ceil(rank * len(REGIMES)).sub(1)
    pairs["hours"] = pairs["hour"] // (width := _hours(pairs))
    by_hour = [_row(_span(at, width), part) for at, part in _parts(pairs, "hours")]
    by_regime = [_row(REGIMES[at], part) for at, part in _parts(pairs, "regime")]
    return {"challenger": challenger, "baseline": baseline, "by_hour": by_hour, "by_regime": by_regime}


def _pairs(scores: pd.DataFrame, challenger: str, baseline: str) -> pd.DataFrame:
    sides = []
    for name in (challenger, baseline):
        side = scores.loc[scores["forecaster"] == name, ["asset", "start_time", "total"]]
        if side.empty:
            raise ValueError(f"there are no scores of {name!r}")
        sides.append(side)
    pairs = sides[0].merge(sides[1], on=["asset", "start_time"], suffixes=("_challenger", "_baseline"))
    if pairs.empty:
        raise ValueError(f"{challenger!r} and {baseline!r} share no prompt")
    return pairs.sort_values(["start_time", "asset"], ignore_index=True)


def _hours(pairs: pd.DataFrame) -> int:
    """Hours of the day that are told together: as few as leave enough start times in every group."""
    for width in _WIDTHS[:-1]:
        starts = pairs.groupby(pairs["hour"] // width)["start_time"].nunique()
        if starts.min() >= _STARTS:
            return width
    return _WIDTHS[-1]


def _span(at: int, width: int) -> str:
    return f"{at:02d}" if width == 1 else f"{at * width:02d}-{(at + 1) * width:02d}"


def _parts(pairs: pd.DataFrame, column: str) -> list[tuple[int, pd.DataFrame]]:
    present = sorted({int(value) for value in pairs[column].dropna()})
    return [(value, pairs[pairs[column] == value]) for value in present]


def _row(group: str, part: pd.DataFrame) -> GroupRow:
    weight = part["weight"].to_numpy(dtype=np.float64)
    base = part["total_baseline"].to_numpy(dtype=np.float64)
    gain = weight * (part["total_challenger"].to_numpy(dtype=np.float64) - base)
    frame = pd.DataFrame({"block": part["block"], "gain": gain, "base": weight * base})
    blocks = frame.groupby("block")[["gain", "base"]].sum().to_numpy(dtype=np.float64)
    low, high = (100 * float(bound) for bound in ratio_interval(blocks[:, 0], blocks[:, 1]))
    known = np.isfinite(low)
    return {
        "group": group,
        "count": len(part),
        "lead": float(100 * blocks[:, 0].sum() / blocks[:, 1].sum()),
        "low": low if known else None,
        "high": high if known else None,
    }
