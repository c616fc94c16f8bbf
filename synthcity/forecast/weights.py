"""Weights of a mix, fitted on past prompts: exactly, because the score of a mixture is quadratic in them.

For one term of the score, with members' laws X_k and the realised y (Gneiting and Raftery, 2007)::

    CRPS(sum_k w_k X_k, y) = sum_k w_k E|X_k - y| - 1/2 sum_kl w_k w_l E|X_k - X_l|

so two small arrays, summed over terms and prompts, hold everything; the ensembles are drawn once.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from synthcity.errors import NotCovered
from synthcity.forecast.evaluation.backtest import CANNOT_ANSWER, check_paths, prompt_seed, realised_prices
from synthcity.forecast.forecaster import Forecaster
from synthcity.market.bars import Market
from synthcity.sn50.competitions import Competition, Rules
from synthcity.sn50.prompt import Prompt
from synthcity.sn50.scoring import terms

Floats = NDArray[np.float64]
_LEAST = 0.1  # weight of a member that is worth its computing time
MAX_MEMBERS = 10  # supports are enumerated: 2 ** members small systems


@dataclass(frozen=True, eq=False)
class PairTerms:
    """What a mix of K members scores, in basis points: ``to_realised`` (K,) and ``apart`` (K, K)."""

    to_realised: Floats
    apart: Floats

    def score(self, weights: Floats) -> float:
        """Return the score of the mixture law, an ensemble of infinitely many paths."""
        return float(self.to_realised @ weights - 0.5 * weights @ self.apart @ weights)


def pair_terms(
    forecasters: Sequence[Forecaster],
    market: Market,
    prompt: Prompt,
    competition: str | Competition,
    rules: Rules | None = None,
    seed: int = 0,
    num_paths: int = 250,
) -> PairTerms | None:
    """Return the pair terms of one prompt, or None where its last price was never observed or one cannot answer."""
    drawn = _drawn(forecasters, market, prompt, seed, num_paths)
    return None if drawn is None else pair_terms_of(*drawn, competition, rules)


def own_scores(
    forecasters: Sequence[Forecaster],
    market: Market,
    prompt: Prompt,
    competition: str | Competition,
    rules: Rules | None = None,
    seed: int = 0,
    num_paths: int = 250,
) -> Floats | None:
    """Return what each of K forecasters scores by itself, (K,): the diagonal of ``pair_terms``, at half its cost."""
    drawn = _drawn(forecasters, market, prompt, seed, num_paths)
    if drawn is None:
        return None
    values, observed = _scaled_terms(*drawn, competition, rules)
    return _to_realised(values, observed) - 0.5 * _own_distances(values)


def _drawn(
    forecasters: Sequence[Forecaster], market: Market, prompt: Prompt, seed: int, num_paths: int
) -> tuple[Floats, Floats] | None:
    """Return ensembles (K, N, T + 1) and the realised prices (T + 1,); None where either cannot be had."""
    realised = realised_prices(market, prompt)
    if realised is None:
        return None
    prompt = replace(prompt, num_simulations=num_paths)
    history = market.as_of(prompt.start_time)
    ensembles = []
    for k, forecaster in enumerate(forecasters):
        # members draw independently of each other: shared noise would make E|X_k - X_l| too small
        try:
            paths = forecaster.simulate(history, prompt, seed=prompt_seed(seed, prompt) ^ k)
        except NotCovered:
            raise
        except CANNOT_ANSWER:  # lost for all, as in a backtest
            return None
        check_paths(paths, prompt, forecaster.name)
        ensembles.append(paths)
    return np.stack(ensembles), realised


def pair_terms_of(
    ensembles: Floats, realised: Floats, competition: str | Competition, rules: Rules | None = None
) -> PairTerms:
    """Return the pair terms of ensembles (K, N, T + 1) against ``realised`` (T + 1,)."""
    values, observed = _scaled_terms(ensembles, realised, competition, rules)
    return PairTerms(_to_realised(values, observed), _mean_distances(values))


def mean_terms(rows: Sequence[tuple[PairTerms, float]]) -> PairTerms:
    """Return the weighted mean of (pair terms, weight) pairs."""
    weights = np.array([weight for _, weight in rows])
    return PairTerms(
        np.average([terms.to_realised for terms, _ in rows], axis=0, weights=weights),
        np.average([terms.apart for terms, _ in rows], axis=0, weights=weights),
    )


def solve_weights(pairs: PairTerms) -> Floats:
    """Return the global minimum of ``pairs.score`` on the simplex, (K,).

    The best point is stationary on the face that it lies in, so all 2^K - 1 faces are solved and compared:
    exact for any K worth mixing, with no step size to choose.

    Raises:
        ValueError: there is no member or more than ten.
    """
    size = len(pairs.to_realised)
    if not 1 <= size <= MAX_MEMBERS:
        raise ValueError(f"a mix is fitted over 1 to {MAX_MEMBERS} members, got {size}")
    best, best_score = np.zeros(size), np.inf
    for count in range(1, size + 1):
        for face in itertools.combinations(range(size), count):
            weights = _stationary(pairs, np.array(face))
            if weights is not None and (found := pairs.score(weights)) < best_score:
                best, best_score = weights, found
    return best


def fitted_weights(pairs: PairTerms) -> Floats:
    """Return weights (K,) of few members, half way between what fits ``pairs`` best and equal parts.

    A hundred prompts tell who belongs to a mix and not with how much: members that would get less than ``_LEAST`` are
    left out, the rest is fitted again and drawn towards equal parts.
    """
    weights = solve_weights(pairs)
    kept = np.flatnonzero(weights >= min(_LEAST, weights.max()))
    few = PairTerms(pairs.to_realised[kept], pairs.apart[np.ix_(kept, kept)])
    found = np.zeros(len(weights))
    found[kept] = 0.5 * solve_weights(few) + 0.5 / len(kept)
    return found


def cross_fitted(rows: Sequence[tuple[PairTerms, float]], fold: NDArray[np.int64]) -> Floats:
    """Return scores (rows, K + 1) of the members and, last, of a mix whose weights come from the other folds alone.

    Args:
        rows: pair terms of single prompts and their weights.
        fold: which fold each belongs to, (rows,); there are at least two.
    """
    scores = np.empty((len(rows), len(rows[0][0].to_realised) + 1))
    for held in np.unique(fold):
        weights = fitted_weights(mean_terms([row for row, own in zip(rows, fold, strict=True) if own != held]))
        for at in np.flatnonzero(fold == held):
            pairs = rows[int(at)][0]
            scores[at] = [*(pairs.to_realised - 0.5 * np.diag(pairs.apart)), pairs.score(weights)]
    return scores


def _stationary(pairs: PairTerms, face: NDArray[np.int64]) -> Floats | None:
    """Return the stationary point with support ``face`` (K,), or None if it leaves the simplex."""
    n = len(face)
    system = np.ones((n + 1, n + 1))
    system[:n, :n] = pairs.apart[np.ix_(face, face)]
    system[n, n] = 0.0
    target = np.append(pairs.to_realised[face], 1.0)
    solution = np.linalg.lstsq(system, target, rcond=None)[0][:n]  # two equal members make it singular
    if (solution < 0).any() or abs(solution.sum() - 1) > 1e-9:
        return None
    weights = np.zeros(len(pairs.to_realised))
    weights[face] = solution
    return weights


def _to_realised(values: Floats, observed: Floats) -> Floats:
    """Return E|X_k - y| (K,) summed over terms, for values (K, N, J) and observed (J,)."""
    found: Floats = np.abs(values - observed).mean(axis=1).sum(axis=-1)
    return found


def _own_distances(values: Floats) -> Floats:
    """Return the unbiased E|X_k - X'_k| (K,) summed over terms: the i-th of N sorted values counts 2i - N - 1 times."""
    num_paths = values.shape[1]
    often = 2.0 * np.arange(1, num_paths + 1) - num_paths - 1
    found: Floats = np.einsum("n,knj->k", often, np.sort(values, axis=1)) / (0.5 * num_paths * (num_paths - 1))
    return found


def _mean_distances(values: Floats) -> Floats:
    """Return E|X_k - X_l| (K, K) summed over terms, for values (K, N, J); the diagonal is unbiased.

    With F_k the share of member k at or below x, E|X_k - X_l| is the integral of
    F_k (1 - F_l) + F_l (1 - F_k): one sort of all members together serves every pair.
    """
    size, num_paths, num_terms = values.shape
    pooled = np.ascontiguousarray(values.transpose(2, 0, 1).reshape(num_terms, -1))  # (J, K * N)
    order = np.argsort(pooled, axis=1)
    widths = np.diff(np.take_along_axis(pooled, order, axis=1), axis=1)
    member = order[:, :-1] // num_paths
    below = np.stack([np.cumsum(member == k, axis=1) for k in range(size)], axis=1) / num_paths  # (J, K, KN-1)
    once = ((below * widths[:, None]) @ (1 - below).transpose(0, 2, 1)).sum(axis=0)
    apart: Floats = once + once.T
    apart[np.diag_indices(size)] *= num_paths / (num_paths - 1)
    return apart


def _scaled_terms(
    ensembles: Floats, realised: Floats, competition: str | Competition, rules: Rules | None
) -> tuple[Floats, Floats]:
    """Return values (K, N, J) and observed (J,), so scaled that the sum of their CRPS is the score."""
    found = [terms(paths, realised, competition, rules) for paths in ensembles]
    values = np.stack([(one.ensemble * one.weights[:, None]).T for one in found])
    return values, found[0].observed * found[0].weights
