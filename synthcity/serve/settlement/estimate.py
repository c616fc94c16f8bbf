"""How sure a place among all miners is: intervals from parts of the window, paired with the field."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synthcity.durations import DAY
from synthcity.forecast.evaluation.interval import ratio_interval
from synthcity.market.bars import Floats
from synthcity.serve.settlement.rank import Contest, Rank
from synthcity.sn50.competitions import Rules, get_rules
from synthcity.sn50.leaderboard import charged_scores, payout

BLOCKS_A_WINDOW = 10
"""A window of ten days is cut into days, one of five into halves; what lasts longer is seen in their slow cosines."""


@dataclass(frozen=True, kw_only=True)
class Range:
    """Two bounds, 95 %."""

    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A place with its intervals, None where there are too few blocks of days to tell.

    Attributes:
        average, standing, share: intervals of ``rank.average``, ``rank.rank`` and ``rank.share``.
        num_blocks: that they come from.
    """

    rank: Rank
    average: Range | None
    standing: Range | None
    share: Range | None
    num_blocks: int


def estimate(contest: Contest, rules: Rules | None = None) -> Estimate:
    """Return our place and how much of it is chance.

    All three intervals follow from one: that of our average less the field's, each miner weighted by its pay. What all
    share, a quiet day or a wild one, is no uncertainty of a place. To first order the logarithm of our share moves by
    beta times that difference, and our rank is that of our average moved by it.
    """
    rules = get_rules() if rules is None else rules
    name, rank = contest.competition.name, contest.rank(rules)
    charged, weights, kept = charged_scores(contest.totals, contest.assets, rules)
    averages = np.average(charged, axis=0, weights=weights)
    shares = payout({name: averages}, rules)
    ahead = charged[:, -1] - charged @ shares  # of each prompt, ours less the field's
    length = contest.competition.window_days * DAY // BLOCKS_A_WINDOW
    _, block = np.unique(contest.starts[kept] // length, return_inverse=True)
    top, bottom = np.zeros(block.max() + 1), np.zeros(block.max() + 1)
    np.add.at(top, block, weights * ahead)
    np.add.at(bottom, block, weights)
    low, high = ratio_interval(top, bottom)
    if not np.isfinite(low):
        return Estimate(rank=rank, average=None, standing=None, share=None, num_blocks=len(bottom))
    middle = float(np.average(ahead, weights=weights))
    better, worse = float(low) - middle, float(high) - middle
    beta = contest.competition.beta
    return Estimate(
        rank=rank,
        average=Range(low=rank.average + better, high=rank.average + worse),
        standing=Range(low=_rank(averages, better), high=_rank(averages, worse)),
        share=Range(low=rank.share * np.exp(beta * worse), high=min(1.0, rank.share * np.exp(beta * better))),
        num_blocks=len(bottom),
    )


def _rank(averages: Floats, move: float) -> int:
    return 1 + int((averages[:-1] < averages[-1] + move).sum())
