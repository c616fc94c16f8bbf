"""What chance alone shows in a look: the level that the largest of all its rows stays below in 95 of 100 looks.

Steps of a day share its shocks and volatility has memory, so no count of steps says how far a mean strays. What is
drawn by chance is therefore a block of days, or how two series lie to each other in time.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from synthcity.durations import DAY, HOUR
from synthcity.market.bars import Floats
from synthcity.research.inputs import Rows

BLOCK = 2 * DAY
SHARE = 0.95
_FLIPS = 400
_LEAST_BLOCKS = 8  # in which a group must have steps for an error to be told
_LEAST_SHIFTS = 20
_APART = 3  # days by which shifted series lie apart at least, so that neither moves the other


def by_flips(sums: Floats, counts: Floats, *, seed: int = 0) -> tuple[Floats, float]:
    """Return the z value of each group's mean against that of all, (g,), and the level of the largest, either sign.

    The error is that of the sums of blocks, so that a shock which all groups share cancels. The level comes from 400
    draws in which the sign of each block, all groups together, is thrown (the wild bootstrap, studentised anew in each
    draw). A group with steps in fewer than eight blocks has no z value (NaN), nor has one that is all there is.

    Args:
        sums: of a value, (g, blocks).
        counts: of steps, (g, blocks).
        seed: of the draws.
    """
    blocks = (counts > 0).sum(axis=1)
    told = (blocks >= _LEAST_BLOCKS) & (len(sums) > 1)
    z = np.full(len(sums), np.nan)
    if not told.any():
        return z, np.inf
    own = counts[told].sum(axis=1, keepdims=True)
    share = counts[told] / own
    apart = sums[told] / own - sums.sum(axis=0) / counts.sum()  # adds up to the difference of means
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], (sums.shape[1], _FLIPS))
    signs[:, 0] = 1.0  # as it was
    drawn = apart @ signs
    spread = (apart**2).sum(1)[:, None] - 2 * drawn * ((apart * share) @ signs) + drawn**2 * (share**2).sum(1)[:, None]
    widen = (blocks[told] / (blocks[told] - 1))[:, None]
    values = drawn / np.sqrt(np.maximum(spread * widen, np.finfo(np.float64).tiny))
    z[told] = values[:, 0]
    return z, level(np.abs(values[:, 1:]).max(axis=0))


def days_apart(length: int, per_day: int, longest: int) -> Rows:
    """Return by how many rows two series of ``length`` may be turned against each other, whole days each.

    Args:
        length: rows.
        per_day: rows a day.
        longest: rows of the longest lag that is looked at.
    """
    apart = _APART * per_day
    return np.arange(apart, length - longest - apart + 1, per_day, dtype=np.int64)


def turned(left: Floats, right: Floats) -> Floats:
    """Return sum over t of left[t] * right[t - s] for every s, around the end: (n, ...) of (n, ...) and (n, ...)."""
    left_f, right_f = np.fft.rfft(left, axis=0), np.fft.rfft(right, axis=0)
    return np.asarray(np.fft.irfft(left_f * np.conj(right_f), n=len(left), axis=0))


def by_turns(values: Floats, per_day: int, lags: Sequence[int]) -> float:
    """Return the level of the largest of |values| at ``lags`` (rows), from turns by whole days.

    Args:
        values: a statistic of two series turned against each other by every number of rows, (n, ...).
        per_day: rows a day.
        lags: that are looked at.
    """
    apart = days_apart(len(values), per_day, max(lags))
    if len(apart) < _LEAST_SHIFTS:
        return np.inf
    at = apart[:, None] + np.asarray(lags)[None, :]
    return level(np.abs(values[at]).reshape(len(apart), -1).max(axis=1))


def of_peaks(count: float) -> float:
    """Return the level of the highest amplitude of noise, in units of their median.

    Between frequencies that can be told apart the amplitude rises and falls, too, so there are more than that many
    (Baluev 2008, "Assessing the statistical significance of periodogram peaks").

    Args:
        count: frequencies that can be told apart.
    """
    power = 1.0
    for _ in range(50):
        power = max(1.0, np.log(max(count, 1.0) * np.sqrt(np.pi / 3 * power) / -np.log(SHARE)))
    return float(np.sqrt(power / np.log(2)))


def level(largest: Floats) -> float:
    """Return what ``largest`` (draws,) stays below in 95 of 100 draws, the row that is looked at counted with them."""
    return float(np.quantile(largest, min(1.0, SHARE * (len(largest) + 1) / len(largest)), method="higher"))


def told(value: float, digits: int) -> str:
    """Return a level as a table's header tells it."""
    return f"chance 95 %: {value:.{digits}f}" if np.isfinite(value) else "chance: too few days to tell"


PER_DAY = DAY // HOUR
