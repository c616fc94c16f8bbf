"""Volatility by time of day, weekdays and week-ends apart: the seasonal half of FHS."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthcity.durations import DAY
from synthcity.forecast.baselines.returns import Returns
from synthcity.schema import key

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SLOT_SECONDS = 300
SLOTS_A_DAY = DAY // SLOT_SECONDS
DAY_KINDS = 2  # weekday, week-end


def slot_of(observed: Ints) -> Ints:
    """Return the slot, weekday slots before week-end slots, of a step that ENDS at ``observed`` (unix s).

    A slot covers five minutes and is named by its end, so one-minute steps share the slot that they build.
    """
    ends = -(-observed // SLOT_SECONDS)
    weekday = ((ends - 1) // SLOTS_A_DAY + 3) % 7  # 1970-01-01 was a Thursday
    return ends % SLOTS_A_DAY + SLOTS_A_DAY * (weekday >= 5)


@dataclass(frozen=True, kw_only=True)
class ProfileConfig:
    """How mean absolute returns become a profile around 1."""

    cap_quantile: float = key(0.995, low=0.5, high=1)
    smooth_slots: int = key(6, low=0, high=288)
    shrinkage: float = key(0.1, low=0, high=1)


def volatility_profile(returns: Returns, config: ProfileConfig) -> Floats:
    """Return relative volatility by slot, (576,), all > 0, about 1 on the average over the returns.

    A slot in which nothing was ever observed takes the volatility that the moves across closures of the market
    imply, were they spread evenly; where it never closes, that of the other kind of day, or 1.
    """
    size = np.abs(returns.value)
    # partition alone: np.quantile would interpolate between two of thousands
    rank = int(config.cap_quantile * (len(size) - 1))
    size = np.minimum(size, np.partition(size, rank)[rank])
    mean = size.mean()
    slots = slot_of(returns.observed)
    total = _smooth(_by_slot(slots, size), config.smooth_slots)
    count = _smooth(_by_slot(slots, np.ones(len(size))), config.smooth_slots)
    level = np.where(count > 0, total / np.maximum(count, 1.0), _unseen(returns, total, count, mean)) / mean
    profile: Floats = ((1 - config.shrinkage) * level + config.shrinkage).ravel()
    return profile


def slot_share(slots: Ints, flags: NDArray[np.bool_], config: ProfileConfig) -> Floats:
    """Return the share of true ``flags`` (n,) by slot, (576,), smoothed like the profile; 0 where there are none."""
    total = _smooth(_by_slot(slots, flags.astype(np.float64)), config.smooth_slots)
    count = _smooth(_by_slot(slots, np.ones(len(flags))), config.smooth_slots)
    share: Floats = (total / np.maximum(count, 1.0)).ravel()
    return share


def _by_slot(slots: Ints, values: Floats) -> Floats:
    """Sum ``values`` by slot, (2, 288)."""
    sums = np.bincount(slots, weights=values, minlength=DAY_KINDS * SLOTS_A_DAY)
    return sums.astype(np.float64, copy=False).reshape(DAY_KINDS, SLOTS_A_DAY)


def _smooth(table: Floats, reach: int) -> Floats:
    """Sum over ``reach`` neighbours either side, round the clock."""
    wide = np.concatenate([table[:, -reach - 1 :], table, table[:, :reach]], axis=1).cumsum(axis=1)
    sums: Floats = wide[:, 2 * reach + 1 :] - wide[:, : -2 * reach - 1]
    return sums


def _unseen(returns: Returns, total: Floats, count: Floats, mean: float) -> Floats:
    """Mean absolute return of slots without any, broadcasting to (2, 288)."""
    if len(returns.closed_move):
        return np.asarray(np.mean(np.abs(returns.closed_move) / np.sqrt(returns.closed_steps)))
    seen = count.sum(axis=0)
    return np.where(seen > 0, total.sum(axis=0) / np.maximum(seen, 1.0), mean)
