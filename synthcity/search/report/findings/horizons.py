"""The lead by the horizon of the changes that are scored: where in a forecast it is earned."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

import pandas as pd

from synthcity.forecast.evaluation.backtest import INTERVAL_PREFIX
from synthcity.forecast.evaluation.compare import lead
from synthcity.forecast.evaluation.regimes import GroupRow

_NAME = re.compile(r"(?:0_)?(\d+)(min|hour)(_abs|_gaps)?")


def horizon_rows(
    scores: pd.DataFrame, challenger: str, baseline: str, weights: Mapping[str, float], block_days: int
) -> list[GroupRow]:
    """Return the challenger's lead over ``baseline`` in each part of the score, in the order of the columns.

    Args:
        scores: in long form, with one column an interval of the competition, prefixed ``i_``, whose sum is ``total``.
        challenger: whose lead is asked.
        baseline: whom it is held against.
        weights: coefficient by asset.
        block_days: length of a block, see ``interval.block_days``.
    """
    rows = []
    for column in [name for name in scores.columns if str(name).startswith(INTERVAL_PREFIX)]:
        part = scores.assign(total=scores[column])
        base = part.loc[part["forecaster"] == baseline, "total"]
        if not len(base) or not float(base.sum()) > 0:  # an interval that no prompt of these has
            continue
        found = lead(part, challenger, baseline, block_days=block_days, weights=weights)
        known = math.isfinite(found.low) and math.isfinite(found.high)
        rows.append(
            GroupRow(
                group=_title(str(column).removeprefix(INTERVAL_PREFIX)),
                count=found.num_prompts,
                lead=found.mean,
                low=found.low if known else None,
                high=found.high if known else None,
            )
        )
    return rows


def _title(interval: str) -> str:
    """Say an interval of the score as people do: "5min" as "5 min", "24hour_abs" as "price 24 h"."""
    found = _NAME.fullmatch(interval)
    if found is None:
        return interval
    length, unit, kind = found.groups()
    span = f"{length} {'h' if unit == 'hour' else 'min'}"
    return {"_abs": f"price {span}", "_gaps": f"first {span}"}.get(kind or "", span)
