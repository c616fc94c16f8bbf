"""From what an input says to columns of a regression: covariates as they are, the past by how far ahead a step lies."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from synthcity.market.bars import Floats
from synthcity.research.inputs import Input, InputRefused, ask
from synthcity.research.known import Known
from synthcity.research.measuring.cases import Cases

Floats32 = NDArray[np.float32]
LEADS = (0.02, 0.08, 0.25, 0.6, 1.0)  # parts of the horizon around which a column of the past has its own coefficient
_MOST = 8.0  # standard deviations
_PAST_PROMPTS, _FUTURE_PROMPTS = 20.0, 5.0  # by how many prompts of one column coefficients are drawn to nothing


def hats(horizon: int) -> Floats:
    """Return (horizon, len(LEADS)) weights of the leads at each step; they add up to 1."""
    at = np.arange(1, horizon + 1) / horizon
    return np.stack([np.interp(at, LEADS, np.eye(len(LEADS))[n]) for n in range(len(LEADS))], axis=1)


def plain_columns(cases: Cases) -> Floats32:
    """What is fitted without any input, (c, horizon, k): a level by asset and one by lead."""
    asset = (cases.asset[:, None] == np.arange(1, len(cases.assets))).astype(np.float32)
    wide = np.broadcast_to(asset[:, None, :], (len(cases), cases.horizon, asset.shape[1]))
    lead = np.broadcast_to(hats(cases.horizon).astype(np.float32), (len(cases), cases.horizon, len(LEADS)))
    return np.concatenate([wide, lead], axis=2)


def input_columns(
    one: Input, cases: Cases, known: Known, is_learned: NDArray[np.bool_], seed: int
) -> tuple[Floats32, int]:
    """Ask an input for all cases and lay it out, (c, horizon, k): q covariates, then p columns by lead; and q.

    Args:
        one: the input.
        cases: its prompts.
        known: what it is given.
        is_learned: (c,) cases by which columns are centred and scaled: those before any fold.
        seed: which rows are asked again with their future cut off.

    Raises:
        InputRefused: it broke its contract.
    """
    rows, which = np.unique(cases.row, return_inverse=True)
    ends = known.times[rows][:, None] + cases.step * np.arange(1, cases.horizon + 1)
    said = ask(one, known, rows, ends, np.random.default_rng(seed))
    past, future = said.past[which, cases.asset], said.future[which, cases.asset]
    num_past, num_future = past.shape[-1], future.shape[-1]
    if num_past + num_future == 0:
        raise InputRefused("it says nothing: neither past nor future has a column")
    past = _standardised(past, past[is_learned])
    future = _standardised(future, future[is_learned].reshape(int(is_learned.sum()) * cases.horizon, num_future))
    wide = past[:, None, :, None] * hats(cases.horizon)[None, :, None, :]
    laid = np.concatenate([future, wide.reshape(len(cases), cases.horizon, -1)], axis=2)
    if not laid[is_learned].any():
        raise InputRefused("its columns never change before the first fold, so nothing can be learned from them")
    return laid.astype(np.float32), num_future


def strength_of(columns: Floats32, num_future: int) -> Floats:
    """By how many rows each column is drawn to nothing, (k,)."""
    horizon, num = columns.shape[1:]
    return np.asarray(horizon * np.where(np.arange(num) < num_future, _FUTURE_PROMPTS, _PAST_PROMPTS))


def _standardised(values: Floats, by: Floats) -> Floats:
    """In standard deviations of ``by`` (n, k) from its mean; what is not finite says nothing."""
    seen = np.isfinite(by)
    count = np.maximum(seen.sum(axis=0), 1)
    mean = np.where(seen, by, 0.0).sum(axis=0) / count
    spread = np.sqrt((np.where(seen, by - mean, 0.0) ** 2).sum(axis=0) / count)
    with np.errstate(invalid="ignore"):  # inf - inf
        scaled = (values - mean) / np.where(spread > 1e-12, spread, np.inf)
    return np.clip(np.where(np.isfinite(scaled), scaled, 0.0), -_MOST, _MOST)
