"""The network's score of an answer: the sum of CRPS over all terms of all intervals, lower is better."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from synthcity.sn50.competitions import Competition, Rules, get_competition, get_rules
from synthcity.sn50.crps import Array, Workspace, crps, score_rows, workspace
from synthcity.sn50.terms import Terms, checked_paths, gather, max_terms, terms

__all__ = ["INVALID", "Score", "Terms", "crps", "network_score", "score", "terms"]

INVALID = -1.0
VOLATILITY = "Vol"


@dataclass(frozen=True, kw_only=True)
class Score:
    """Score of one ensemble (floats) or of a batch (arrays), in basis points.

    ``total`` is -1 for an invalid answer. ``intervals`` holds the sum of each interval under the network's
    names; with volatility blocks their plain sums (``vol_...``) and the weighted sum ``Vol`` which enters the
    total. All are NaN for an answer with a price of exactly 0.

    Example:
        >>> import numpy as np
        >>> import synthcity
        >>> found = synthcity.score(np.ones((5, 61)), np.ones(61), "crypto-1h")
        >>> found.valid, found.total, len(found.intervals) > 3
        (True, 0.0, True)
    """

    total: float | Array
    intervals: Mapping[str, float | Array]

    @property
    def valid(self) -> bool | NDArray[np.bool_]:
        """Whether the network takes the answer; of a batch, which ones."""
        return self.total != INVALID


def score(
    paths: ArrayLike,
    realised: ArrayLike,
    competition: Competition | str,
    rules: Rules | str | None = None,
) -> Score:
    """Score simulated ``paths`` (..., N, T) against ``realised`` (T,) or (..., T), NaN where not seen.

    T is the competition's number of points; a shorter ``realised`` scores the part that has arrived. Equal to
    the network's own number for ``rules`` (a date, default: the newest) to 1e-9 relative. Lower is better.

    Raises:
        ValueError: shapes do not fit, nothing of what was realised was seen, or the network would not take the paths:
            what it calls such an answer, -1, would pass for the best of all.

    Example:
        >>> import numpy as np
        >>> steps = np.random.default_rng(0).normal(0, 1e-3, (100, 289))
        >>> paths = 90_000 * np.exp(np.cumsum(steps, axis=1))
        >>> round(score(paths, paths[0], "crypto-24h").total, 1)
        2720.2
    """
    found = network_score(paths, realised, competition, rules)
    if not np.all(found.valid):
        raise ValueError(
            f"the network takes {np.count_nonzero(found.valid)} of {np.size(found.total)} answers: prices must be "
            "finite and above 0, and no score may overflow"
        )
    if not np.isfinite(np.asarray(realised, dtype=np.float64)[..., 1:]).any(axis=-1).all():
        raise ValueError("realised holds no price after the first, so there is nothing to score")
    return found


def network_score(
    paths: ArrayLike,
    realised: ArrayLike,
    competition: Competition | str,
    rules: Rules | str | None = None,
) -> Score:
    """Score as ``score``, but say of an answer that the network does not take what it says: a total of -1.

    Raises:
        ValueError: shapes do not fit.
    """
    rules = get_rules(rules)
    competition = get_competition(competition, rules)
    prices, truth = checked_paths(paths, realised, competition)
    batch, (num_members, num_points) = prices.shape[:-2], prices.shape[-2:]
    work = workspace(num_members)
    scored = [
        _score_one(ensemble, seen, competition, rules, work)
        for ensemble, seen in zip(
            prices.reshape(-1, num_members, num_points), truth.reshape(-1, num_points), strict=True
        )
    ]
    if not batch:
        return scored[0]
    names = _interval_names(competition)
    return Score(
        total=np.array([one.total for one in scored]).reshape(batch),
        intervals={name: np.array([one.intervals[name] for one in scored]).reshape(batch) for name in names},
    )


def _score_one(paths: Array, realised: Array, competition: Competition, rules: Rules, work: Workspace) -> Score:
    names = _interval_names(competition)
    # the minimum alone clears almost every answer; NaN or negative prices need the closer look
    if not paths.min() > 0 and (paths == 0).any():
        return Score(total=INVALID, intervals=dict.fromkeys(names, math.nan))
    sums = dict.fromkeys(names, 0.0)
    found = gather(paths, realised, competition, work.terms(max_terms(competition)))
    values = np.empty(len(found.observed))
    for part in work.parts(len(values)):
        values[part] = score_rows(found.rows[part], found.observed[part], work)
    for group in found.groups:
        sums[group.label] += float(values[group.part].sum()) * group.factor
    total = sum(sums[interval.name] for interval in competition.intervals)
    if competition.volatility_blocks:
        sums[VOLATILITY] = sum(block.weight * sums[block.name] for block in competition.volatility_blocks)
        total += sums[VOLATILITY]
    invalid = math.isnan(total) if rules.invalid_total == "nan" else not math.isfinite(total)
    return Score(total=INVALID if invalid else total, intervals=sums)


def _interval_names(competition: Competition) -> list[str]:
    names = [horizon.name for horizon in competition.horizons]
    return [*names, VOLATILITY] if competition.volatility_blocks else names
