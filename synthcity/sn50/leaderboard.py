"""From the scores of all miners to shares of the payout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from synthcity.sn50.competitions import Rules, get_competition, get_rules
from synthcity.sn50.crps import Array


def prompt_scores(scores: ArrayLike, rules: Rules | None = None) -> Array | None:
    """Turn the raw scores (M,) of one prompt into prompt scores (M,): 0 for the best, lower is better.

    -1 or any value that is not finite and >= 0 is an invalid or missing answer; it gets the percentile of the
    valid ones. None if nobody answered validly: the network drops such a prompt.
    """
    rule = (get_rules() if rules is None else rules).prompt_score
    raw = np.asarray(scores, dtype=np.float64)
    if raw.ndim != 1:
        raise ValueError(f"scores of one prompt must be (M,), not {raw.shape}")
    is_valid = np.isfinite(raw) & (raw >= 0)
    if not is_valid.any():
        return None
    valid = raw[is_valid]
    limit = np.inf if rule.outlier_medians is None else rule.outlier_medians * float(np.median(valid))
    percentile = float(np.percentile(valid[valid <= limit], rule.percentile))
    cap = percentile if rule.cap_at_percentile else limit
    charged = np.where(is_valid, np.minimum(raw, cap), percentile)
    above_best: Array = charged - charged.min()
    return above_best


def charged_scores(
    scores: ArrayLike, assets: Sequence[str], rules: Rules | None = None
) -> tuple[Array, Array, NDArray[np.intp]]:
    """Turn raw scores (P, M) of a window into prompt scores (K, M), their weights (K,) and which prompts they are (K,).

    NaN marks a miner newer than a prompt, which is charged as an invalid answer is. Prompts without any valid answer
    are dropped; a weight is the coefficient of the prompt's asset.

    Raises:
        ValueError: shapes do not fit, or no prompt is left.
    """
    rules = get_rules() if rules is None else rules
    raw = np.asarray(scores, dtype=np.float64)
    if raw.ndim != 2 or len(raw) != len(assets):
        raise ValueError(f"scores {raw.shape} must be (prompts, miners) with one asset a prompt ({len(assets)})")
    charged = [prompt_scores(row, rules) for row in raw]
    kept = [k for k, row in enumerate(charged) if row is not None]
    if not kept:
        raise ValueError(f"none of {len(raw)} prompts has a valid answer")
    weights = np.array([rules.coefficient(assets[k]) for k in kept])
    return np.stack([row for row in charged if row is not None]), weights, np.array(kept)


def rolling_average(scores: ArrayLike, assets: Sequence[str], rules: Rules | None = None) -> Array:
    """Average prompt scores over a window, weighted by the assets' coefficients: (P, M) raw scores to (M,).

    A miner newer than a prompt is marked NaN there. The network backfills it with the percentile less the
    minimum, which is what an invalid answer is charged; so a newcomer shows its rank only after a window.
    Prompts without any valid answer are dropped; ``ValueError`` if none is left.
    """
    charged, weights, _ = charged_scores(scores, assets, rules)
    average: Array = np.average(charged, axis=0, weights=weights)
    return average


def payout(averages: Mapping[str, ArrayLike], rules: Rules | None = None) -> Array:
    """Shares (M,) of the miners' payout, summing to 1, from rolling averages (M,) by competition.

    Softmax of beta times the average within a competition, times the competition's weight; the weights of the
    given competitions are scaled to sum to 1.
    """
    if not averages:
        raise ValueError("payout needs the averages of at least one competition")
    chosen = {name: get_competition(name, rules) for name in averages}
    total_weight = sum(competition.weight for competition in chosen.values())
    shares = []
    for name, competition in chosen.items():
        values = np.asarray(averages[name], dtype=np.float64)
        if values.ndim != 1 or not np.isfinite(values).all():
            raise ValueError(f"averages of {name} must be one finite number a miner, found {values}")
        exponents = competition.beta * values
        powers = np.exp(exponents - exponents.max())
        shares.append(powers / powers.sum() * (competition.weight / total_weight))
    if len({len(share) for share in shares}) > 1:
        raise ValueError(f"every competition must list the same miners, found {[len(share) for share in shares]}")
    summed: Array = np.sum(shares, axis=0)
    return summed
