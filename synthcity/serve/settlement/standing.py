"""Where a miner stands by its own settled answers: the network's rolling average, and calibration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthcity.durations import DAY
from synthcity.sn50.competitions import Rules, get_rules


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Rolling average of one competition in basis points, lower is better.

    The network subtracts each prompt's best score, which one miner alone cannot know; differences between averages of
    the same prompts are the network's own.

    Attributes:
        average: sum(coefficient * total) / sum(coefficient) over the buckets of the window.
        by_asset: mean total of each asset.
        num_answers: settled and valid answers in the window.
        num_buckets: of an asset and time of which the network scores one answer each.
        num_invalid: answers that the network would refuse.
    """

    competition: str
    average: float
    by_asset: Mapping[str, float]
    num_answers: int
    num_buckets: int
    num_invalid: int


def standings(scores: pd.DataFrame, now: float, rules: Rules | None = None) -> list[Standing]:
    """Return the standing in each competition with a valid answer in its window, by the answers that were sent.

    Of all answers of an asset in one bucket the network scores one, nobody knows which; so each bucket counts once,
    with the mean of its answers. The coefficients are those of the rolling average.

    Args:
        scores: as from ``settle.read_scores``.
        now: end of the window, unix seconds.
    """
    rules = get_rules() if rules is None else rules
    found = []
    for competition in rules.competitions.values():
        end = scores["start_time"] + scores["time_length"]
        is_recent = (end > now - competition.window_days * DAY) & (end <= now)
        own = scores[is_recent & scores["sent"].astype(bool) & (scores["competition"] == competition.name)]
        valid = own[own["total"] >= 0]
        if valid.empty:
            continue
        bucket = (valid["start_time"] // competition.bucket_seconds).rename("bucket")
        means = valid.groupby(["asset", bucket])["total"].mean()
        weights = [rules.coefficient(asset) for asset in means.index.get_level_values("asset")]
        by_asset = means.groupby(level="asset").mean()
        found.append(
            Standing(
                competition=competition.name,
                average=float(np.average(means, weights=weights)),
                by_asset={str(asset): float(value) for asset, value in by_asset.items()},
                num_answers=len(valid),
                num_buckets=len(means),
                num_invalid=len(own) - len(valid),
            )
        )
    return found
