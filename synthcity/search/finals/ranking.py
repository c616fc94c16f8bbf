"""How good each network is beside the best of those that the search began with, and whether that one stays.

Networks are compared in pairs: on the same blocks of days of the search, trained on the same seeds, and on fresh
prompts.
``evidence.shrunk`` says what of a difference is believed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthcity.durations import DAY
from synthcity.forecast.evaluation.compare import coefficients
from synthcity.forecast.evaluation.evidence import Estimate, Floats, combined, paired, shrunk
from synthcity.search.journal.history import COMPLETED, TrialHistory, TrialRecord
from synthcity.sn50.competitions import Rules


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """``estimates`` hold each finalist's difference to ``incumbent``; ``best`` is the network that goes on."""

    incumbent: str
    estimates: dict[str, Estimate]
    best: str
    stays: bool  # the incumbent is one that the search began with, and nothing is better beyond noise


def beginner(history: TrialHistory) -> TrialRecord | None:
    """Return the best of the networks that the search began with, None without such."""
    return next((record for record in history.saved if record.candidate.hash in history.began), None)


def rank(history: TrialHistory, names: Sequence[str], scores: pd.DataFrame, rules: Rules, days: int) -> Ranking:
    """Rank the finalists ``names``, best of the search first, by its blocks and by ``scores`` of fresh prompts."""
    first = beginner(history)
    known = first is not None and first.id in names
    incumbent = first.id if first is not None and known else names[0]
    fresh = by_block(scores, names, rules, days)
    at = list(names).index(incumbent)
    on_fresh = dict(zip(names, paired(fresh.scores_kb, fresh.scores_kb[at], fresh.weight_b), strict=True))
    searched = _on_search(history, incumbent)
    estimates = {
        name: shrunk(both(searched[name], found) if name in searched else found) for name, found in on_fresh.items()
    }
    best = min(names, key=lambda name: (estimates[name].mean, name))
    stays = known and not estimates[best].clear
    return Ranking(
        incumbent=incumbent,
        estimates=estimates,
        best=incumbent if stays else best,
        stays=stays or (known and best == incumbent),
    )


@dataclass(frozen=True, kw_only=True)
class Blocks:
    """Mean scores (forecasters, blocks) and the weight of each block."""

    scores_kb: Floats
    weight_b: Floats


def by_block(scores: pd.DataFrame, names: Sequence[str], rules: Rules, days: int) -> Blocks:
    """Return the mean scores of ``names`` by blocks of ``days``, weighted as the network weighs assets."""
    weights = coefficients(scores, rules)
    table = scores.pivot(index=["start_time", "asset"], columns="forecaster", values="total")[list(names)]
    weight = np.array([weights[str(asset)] for asset in table.index.get_level_values("asset")])
    _, block = np.unique(table.index.get_level_values("start_time") // (days * DAY), return_inverse=True)
    weight_b = np.bincount(block, weights=weight).astype(np.float64)
    sums = [np.bincount(block, weights=weight * table[name].to_numpy()) for name in names]
    return Blocks(scores_kb=np.array(sums) / weight_b, weight_b=weight_b)


def _on_search(history: TrialHistory, incumbent: str) -> dict[str, Estimate]:
    """Return the differences to the incumbent on the search's blocks, of all that were trained to their end.

    Two networks are compared on the seeds that both were trained on, since a seed moves all networks alike.
    """
    same: dict[str, list[Floats]] = defaultdict(list)
    for record in history.records:
        if record.status == COMPLETED and (blocks := record.blocks) is not None:
            same[record.candidate.hash].append(np.array(blocks))
    trainings = {r.id: same[r.candidate.hash] for r in history.scored if r.candidate.hash in same}
    base = trainings.get(incumbent)
    if base is None:
        return {}
    found = {}
    for name, own in trainings.items():
        count = min(len(own), len(base))
        if own[0].shape == base[0].shape:
            other = np.mean(base[:count], axis=0)
            [found[name]] = paired(np.mean(own[:count], axis=0)[None, :, 0], other[:, 0], other[:, 1])
    return found


def both(searched: Estimate, fresh: Estimate) -> Estimate:
    """Return what both say together: they are of the same days, whose noise does not average out between them."""
    return Estimate(mean=combined(searched, fresh).mean, error=min(searched.error, fresh.error))
