"""What mixing was worth on the test period: the mix beside the best single network, which was looked at, too."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from synthcity.forecast.evaluation.compare import lead
from synthcity.search.finals.choice import MIX
from synthcity.search.finals.verdict import LeadInterval, difference


def mix_sentence(
    scores: pd.DataFrame, challenger: str | None, single: str | None, weights: Mapping[str, float], days: int
) -> str:
    """Say by how much the mix is better than ``single``, and whether that is more than chance; "" without a mix.

    Args:
        scores: of the test period, in long form.
        challenger: who was frozen.
        single: the best single network on validation.
        weights: coefficient of each asset in the mean.
        days: length of a block of the interval.
    """
    if challenger != MIX or single is None or single not in set(scores["forecaster"]):
        return ""
    found = lead(scores, MIX, single, weights=weights, block_days=days)
    is_known = abs(found.low) < float("inf") and abs(found.high) < float("inf")
    low, high = (found.low, found.high) if is_known else (None, None)
    told = difference(MIX, f"{single}, the best single network", LeadInterval(mean=found.mean, low=low, high=high))
    if low is None or high is None or low <= 0 <= high:
        worth = "; chance alone can do that, so the network alone may be as good"
    else:
        worth = "" if high < 0 else "; the network alone would have been the better choice"
    return f"On the test period {told}{worth}."
