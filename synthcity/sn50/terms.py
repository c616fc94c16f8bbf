"""The numbers whose CRPS the network sums: changes, prices and volatilities of one answer.

Source: the network's validator, rules of 2026-05 and 2026-09. For an interval of k grid steps every k-th point
is taken, from t0 on; a *change* is (p_next - p_prev)/p_prev in basis points. Terms whose realised value is
missing are left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from synthcity.sn50.competitions import Competition, Interval, Rules, get_competition
from synthcity.sn50.crps import Array

BASIS_POINTS = 10_000.0


@dataclass(frozen=True, kw_only=True)
class Terms:
    """All terms of one answer: its total is ``weights @ crps(ensemble, observed)``.

    Shapes: ``ensemble`` (num_terms, N), ``observed``, ``weights`` and ``labels`` (num_terms,). Members are in
    basis points. ``labels`` are the names of intervals and volatility blocks.
    """

    ensemble: Array
    observed: Array
    weights: Array
    labels: NDArray[np.str_]


@dataclass(frozen=True, kw_only=True)
class TermGroup:
    """The terms of one interval or volatility block: ``rows[part]`` of a ``Gathered``.

    A member in basis points is ``(row - offset) * factor``. Changes come as plain price ratios (offset 1): the score
    does not see a shift, and a pass is saved.
    """

    label: str
    part: slice
    offset: float
    factor: float
    weight: float


@dataclass(frozen=True, kw_only=True)
class Gathered:
    """All observed terms of one ensemble: ``rows`` (num_terms, N) against ``observed`` (num_terms,)."""

    rows: Array
    observed: Array
    groups: tuple[TermGroup, ...]


def terms(paths: ArrayLike, realised: ArrayLike, competition: Competition | str, rules: Rules | None = None) -> Terms:
    """Gather the terms of ``paths`` (N, T) against ``realised`` (T,), NaN where no price was seen.

    What a fit over several ensembles needs; ``score`` itself never holds all terms at once.
    """
    if isinstance(competition, str):
        competition = get_competition(competition, rules)
    prices, truth = checked_paths(paths, realised, competition)
    if prices.ndim != 2 or truth.ndim != 1:
        raise ValueError(f"terms takes one ensemble: paths {prices.shape}, realised {truth.shape}")
    if (prices == 0).any():
        raise ValueError("paths hold a price of exactly 0: such an answer is invalid and has no terms")
    found = gather(prices, truth, competition, np.empty((max_terms(competition), len(prices))))
    ensemble, observed = found.rows, found.observed
    weights, labels = np.empty(len(observed)), []
    for group in found.groups:
        for values in (ensemble, observed):
            values[group.part] = (values[group.part] - group.offset) * group.factor
        weights[group.part] = group.weight
        labels += [group.label] * (group.part.stop - group.part.start)
    return Terms(ensemble=ensemble, observed=observed, weights=weights, labels=np.array(labels, dtype=np.str_))


def max_terms(competition: Competition) -> int:
    """Number of terms of an answer whose every point was observed."""
    intervals = ((i, competition.time_length // i.seconds) for i in competition.intervals)
    changes = sum(1 if interval.kind == "first_change" else count for interval, count in intervals)
    return changes + sum(competition.time_length // block.seconds for block in competition.volatility_blocks)


def checked_paths(paths: ArrayLike, realised: ArrayLike, competition: Competition) -> tuple[Array, Array]:
    """Return both as float64, ``realised`` broadcast over the batch and paths cut to its length."""
    prices = np.asarray(paths, dtype=np.float64)
    truth = np.asarray(realised, dtype=np.float64)
    points = competition.num_points
    if prices.ndim < 2 or prices.shape[-1] != points or prices.shape[-2] == 0:
        raise ValueError(f"paths must be (..., N, {points}) for {competition.name}, not {prices.shape}")
    if truth.ndim < 1 or not 2 <= truth.shape[-1] <= points:
        raise ValueError(f"realised must be (..., {points}) for {competition.name}, not {truth.shape}")
    if not np.all((truth > 0) & (truth < np.inf) | np.isnan(truth)):
        raise ValueError("realised prices must be positive and finite, or NaN where none was seen")
    batch = prices.shape[:-2]
    try:
        truth = np.broadcast_to(truth, (*batch, truth.shape[-1]))
    except ValueError:
        raise ValueError(f"realised {truth.shape} does not fit paths {prices.shape}") from None
    return prices[..., : truth.shape[-1]], truth


def gather(paths: Array, realised: Array, competition: Competition, buffer: Array) -> Gathered:
    """Write all observed terms of one ensemble (N, T) into ``buffer`` (max_terms or more, N) and say what is where.

    ``realised`` may be shorter than a path: then what has been observed is gathered.
    """
    points = np.ascontiguousarray(paths.T)  # one row a point of time: all that follows reads along rows
    observed = np.empty(len(buffer))
    groups: list[TermGroup] = []

    def add(label: str, rows: Array | None, truth: Array, offset: float, factor: float, weight: float) -> None:
        """Close a group; ``rows`` None means that they were written in place."""
        start = groups[-1].part.stop if groups else 0
        part = slice(start, start + len(truth))
        if rows is not None:
            buffer[part] = rows
        observed[part] = truth
        groups.append(TermGroup(label=label, part=part, offset=offset, factor=factor, weight=weight))

    with np.errstate(invalid="ignore", over="ignore"):
        for interval in competition.intervals:
            before, after, truth = _sampled(points, realised, interval, competition)
            seen = ~np.isnan(truth)
            if not seen.any():
                continue
            if interval.kind == "price":
                add(interval.name, after[seen], truth[seen], 0.0, BASIS_POINTS / float(realised[-1]), 1.0)
            elif seen.all():
                start = groups[-1].part.stop if groups else 0
                np.divide(after, before, out=buffer[start : start + len(truth)])
                add(interval.name, None, truth, 1.0, BASIS_POINTS, 1.0)
            else:
                add(interval.name, after[seen] / before[seen], truth[seen], 1.0, BASIS_POINTS, 1.0)
        if competition.volatility_blocks:
            ratios, truth = points[1:] / points[:-1], realised[1:] / realised[:-1]
            for block in competition.volatility_blocks:
                size = block.seconds // competition.time_increment
                add(block.name, *_volatilities(ratios, truth, size), 0.0, BASIS_POINTS, block.weight)
    stop = groups[-1].part.stop if groups else 0
    return Gathered(rows=buffer[:stop], observed=observed[:stop], groups=tuple(groups))


def _sampled(
    points: Array, realised: Array, interval: Interval, competition: Competition
) -> tuple[Array, Array, Array]:
    """Return the points before and after each change (terms, N), and what was realised of it (terms,)."""
    step = interval.seconds // competition.time_increment
    is_price = interval.kind == "price"
    if is_price:
        # a realised path too short for one step is sampled as coarsely as it can be
        step = min(step, len(realised) - 1)
    sampled, truth = points[::step], realised[::step]
    if interval.kind == "first_change":
        sampled, truth = sampled[:2], truth[:2]
    return sampled[:-1], sampled[1:], truth[1:] if is_price else truth[1:] / truth[:-1]


def _volatilities(ratios: Array, realised: Array, size: int) -> tuple[Array, Array]:
    """Return standard deviations (ddof 1) of consecutive blocks of ``size`` changes: (blocks, N) and (blocks,).

    A gap leaves the realised deviation with the changes that were seen, the simulated one with all of them;
    with fewer than two seen changes the block is left out.
    """
    num_blocks = len(realised) // size
    truth = realised[: num_blocks * size].reshape(num_blocks, size)
    observable = np.flatnonzero(np.count_nonzero(~np.isnan(truth), axis=1) >= 2)
    members = ratios[: num_blocks * size].reshape(num_blocks, size, ratios.shape[1])[observable]
    observed = np.array([changes[~np.isnan(changes)].std(ddof=1) for changes in truth[observable]])
    return members.std(axis=1, ddof=1), observed
