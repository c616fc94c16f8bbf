"""The numbers whose CRPS the network sums: changes, prices and volatilities of one answer.

Source: the network's validator, rules of 2026-05 and 2026-09. For an interval of k grid steps every k-th point
is taken, from t0 on; a *change* is (p_next - p_prev)/p_prev in basis points. Terms whose realised value is
missing are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from synthcity.sn50.competitions import Competition, Interval, Rules, VolatilityBlock, get_competition
from synthcity.sn50.crps import Array, Workspace

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
class Chunk:
    """Some terms of one interval; a member in basis points is ``(row - offset) * factor``.

    Changes come as plain price ratios (offset 1): the score does not see a shift, and a pass is saved.
    ``rows`` (C, N) is a view of a buffer that the next chunk overwrites.
    """

    label: str
    rows: Array
    observed: Array
    offset: float
    factor: float
    weight: float


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
    ensembles, observed, weights, labels = [], [], [], []
    for chunk in chunks(prices, truth, competition, Workspace(len(prices))):
        ensembles.append((chunk.rows - chunk.offset) * chunk.factor)
        observed.append((chunk.observed - chunk.offset) * chunk.factor)
        weights.append(np.full(len(chunk.rows), chunk.weight))
        labels.extend([chunk.label] * len(chunk.rows))
    return Terms(
        ensemble=np.concatenate(ensembles) if ensembles else np.empty((0, len(prices))),
        observed=np.concatenate(observed) if observed else np.empty(0),
        weights=np.concatenate(weights) if weights else np.empty(0),
        labels=np.array(labels, dtype=np.str_),
    )


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


def chunks(paths: Array, realised: Array, competition: Competition, work: Workspace) -> Iterator[Chunk]:
    """Yield all observed terms of one ensemble (N, T) chunk by chunk, in ``work``'s buffers."""
    for interval in competition.intervals:
        yield from _interval_chunks(paths, realised, interval, competition, work)
    if competition.volatility_blocks:
        ratios = np.ascontiguousarray(paths.T)
        with np.errstate(invalid="ignore", over="ignore"):
            ratios = ratios[1:] / ratios[:-1]
            truth = realised[1:] / realised[:-1]
        for block in competition.volatility_blocks:
            size = block.seconds // competition.time_increment
            yield from _volatility_chunks(ratios, truth, block, size, work)


def _interval_chunks(
    paths: Array, realised: Array, interval: Interval, competition: Competition, work: Workspace
) -> Iterator[Chunk]:
    step = interval.seconds // competition.time_increment
    is_price = interval.kind == "price"
    if is_price:
        # a realised path too short for one step is sampled as coarsely as it can be
        step = min(step, len(realised) - 1)
    sampled, truth = paths[:, ::step], realised[::step]
    if interval.kind == "first_change":
        sampled, truth = sampled[:, :2], truth[:2]
    with np.errstate(invalid="ignore"):
        observed = truth[1:] if is_price else truth[1:] / truth[:-1]
    factor = BASIS_POINTS / float(realised[-1]) if is_price else BASIS_POINTS
    for start in range(0, len(observed), work.num_rows):
        part = observed[start : start + work.num_rows]
        seen = ~np.isnan(part)
        if not seen.any():
            continue
        points = work.scratch[: len(part) + 1]
        np.copyto(points, sampled[:, start : start + len(part) + 1].T)
        rows = work.rows[: len(part)]
        if is_price:
            np.copyto(rows, points[1:])
        else:
            with np.errstate(invalid="ignore", over="ignore"):
                np.divide(points[1:], points[:-1], out=rows)
        if not seen.all():
            rows, part = rows[seen], part[seen]
        offset = 0.0 if is_price else 1.0
        yield Chunk(label=interval.name, rows=rows, observed=part, offset=offset, factor=factor, weight=1.0)


def _volatility_chunks(
    ratios: Array, realised: Array, block: VolatilityBlock, size: int, work: Workspace
) -> Iterator[Chunk]:
    """Standard deviations (ddof 1) of consecutive blocks of ``size`` changes.

    A gap leaves the realised deviation with the changes that were seen, the simulated one with all of them;
    with fewer than two seen changes the block is left out.
    """
    num_blocks = len(realised) // size
    truth = realised[: num_blocks * size].reshape(num_blocks, size)
    observable = np.flatnonzero(np.count_nonzero(~np.isnan(truth), axis=1) >= 2)
    members = ratios[: num_blocks * size].reshape(num_blocks, size, ratios.shape[1])
    for start in range(0, len(observable), work.num_rows):
        part = observable[start : start + work.num_rows]
        with np.errstate(invalid="ignore", over="ignore"):
            rows = members[part].std(axis=1, ddof=1)
        observed = np.array([changes[~np.isnan(changes)].std(ddof=1) for changes in truth[part]])
        yield Chunk(
            label=block.name, rows=rows, observed=observed, offset=0.0, factor=BASIS_POINTS, weight=block.weight
        )
