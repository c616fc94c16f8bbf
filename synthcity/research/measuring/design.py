"""From what an input says to columns of a regression: covariates as they are, the past by how far ahead a step lies."""

from __future__ import annotations

from dataclasses import dataclass

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


@dataclass(frozen=True, eq=False, kw_only=True)
class Scale:
    """Mean and standard deviation of each column, (k,), on the prompts that were learned from."""

    mean: Floats
    spread: Floats

    @classmethod
    def of(cls, values: Floats) -> Scale:
        """Take those of ``values`` (n, k), as far as they are finite."""
        seen = np.isfinite(values)
        count = np.maximum(seen.sum(axis=0), 1)
        mean = np.where(seen, values, 0.0).sum(axis=0) / count
        spread = np.sqrt((np.where(seen, values - mean, 0.0) ** 2).sum(axis=0) / count)
        return cls(mean=mean, spread=spread)

    def apply(self, values: Floats) -> Floats:
        """Return values (..., k) in standard deviations from the mean; what is not finite says nothing."""
        with np.errstate(invalid="ignore"):  # inf - inf
            scaled = (values - self.mean) / np.where(self.spread > 1e-12, self.spread, np.inf)
        return np.clip(np.where(np.isfinite(scaled), scaled, 0.0), -_MOST, _MOST)


@dataclass(frozen=True, eq=False, kw_only=True)
class Columns:
    """What an input says of all cases, laid out (c, horizon, k), with the scales by which it was."""

    laid: Floats32
    past: Scale
    future: Scale

    @property
    def num_future(self) -> int:
        return len(self.future.mean)

    @property
    def strength(self) -> Floats:
        """By how many rows each column is drawn to nothing, (k,)."""
        horizon, num = self.laid.shape[1:]
        return np.asarray(horizon * np.where(np.arange(num) < self.num_future, _FUTURE_PROMPTS, _PAST_PROMPTS))


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


def lay_out(past: Floats, future: Floats, by_past: Scale, by_future: Scale) -> Floats32:
    """Lay out p columns of the past (c, p) and q covariates (c, horizon, q): (c, horizon, q + p by lead)."""
    cases, horizon = future.shape[:2]
    wide = by_past.apply(past)[:, None, :, None] * hats(horizon)[None, :, None, :]
    return np.concatenate([by_future.apply(future), wide.reshape(cases, horizon, -1)], axis=2).astype(np.float32)


def input_columns(one: Input, cases: Cases, known: Known, is_learned: NDArray[np.bool_], seed: int) -> Columns:
    """Ask an input for all cases and lay it out.

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
    by_past = Scale.of(past[is_learned])
    by_future = Scale.of(future[is_learned].reshape(int(is_learned.sum()) * cases.horizon, num_future))
    laid = lay_out(past, future, by_past, by_future)
    if not laid[is_learned].any():
        raise InputRefused("its columns never change before the first fold, so nothing can be learned from them")
    return Columns(laid=laid, past=by_past, future=by_future)
