"""How sure a ratio of sums is: intervals from blocks of days, as wide as ``benchmarks/coverage.py`` shows they must be.

Prompts of neighbouring hours share prices and assets move together, so what is drawn by chance is a block of days, all
assets together, and there are few of them. ``ratio_interval`` is a t interval in three parts:

* The variance comes from the slowest third of the cosines of the series of blocks (Lazarus, Lewis, Stock and Watson
  2018, "HAR inference: recommendations for practice"): what lasts from block to block is seen there, and the t law
  counts the cosines, not the blocks.
* Blocks of unequal size tell less than as many equal ones: the variance grows by Kish's effective number.
* Where the blocks are skewed, the end on their long side moves out as Hall (1992, "On the removal of skewness by
  transformation") has it; the other end stays, since a skewness that few blocks show is no reason to be surer.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from synthcity.durations import DAY

Floats = NDArray[np.float64]

MIN_BLOCKS = 8  # the fewest for which the study shows the coverage that is promised; fewer have no interval
_BLOCKS_PER_COSINE = 3


def block_days(time_length: int) -> int:
    """Return the days of a block of prompts over ``time_length`` seconds: two where windows overlap, else one."""
    return 2 if time_length >= DAY else 1


def ratio_interval(top: Floats, bottom: Floats, *, confidence: float = 0.95) -> tuple[Floats, Floats]:
    """Return the bounds (...,) of sum(top) / sum(bottom), infinite where there are fewer than ``MIN_BLOCKS``.

    Args:
        top: sums of each block, (..., blocks) in the order of time.
        bottom: positive sums of each block, of a shape that broadcasts with ``top``.
        confidence: that the interval holds the true ratio.
    """
    num_blocks = top.shape[-1]
    if num_blocks < MIN_BLOCKS:
        nowhere = np.full(np.broadcast_shapes(top.shape, bottom.shape)[:-1], np.inf)
        return -nowhere, nowhere
    ratio = top.sum(-1) / bottom.sum(-1)
    influence = (top - ratio[..., None] * bottom) / bottom.mean(-1, keepdims=True)
    cosines = _slow_cosines(num_blocks)
    effective = bottom.sum(-1) ** 2 / (bottom**2).sum(-1)
    uneven = (1 - 1 / num_blocks) / (1 - 1 / effective)
    error = np.sqrt(((influence @ cosines) ** 2).mean(-1) * uneven / num_blocks)
    reach = stdtrit(cosines.shape[1], (1 + confidence) / 2)
    skewness = _skewness(influence)
    low = ratio - error * np.maximum(reach, _stretched(reach, skewness, num_blocks))
    high = ratio + error * np.maximum(reach, _stretched(reach, -skewness, num_blocks))
    return low, high


def _slow_cosines(num_blocks: int) -> Floats:
    """Orthonormal cosines (blocks, cosines) of the lowest frequencies, without the constant."""
    frequency = np.arange(1, round(num_blocks / _BLOCKS_PER_COSINE) + 1)
    at = (np.arange(num_blocks) + 0.5) / num_blocks
    basis: Floats = np.sqrt(2 / num_blocks) * np.cos(np.pi * at[:, None] * frequency)
    return basis


def _skewness(influence: Floats) -> Floats:
    """Third standardised moment (...,) over blocks, 0 where they are all alike."""
    spread = (influence**2).mean(-1) ** 1.5
    skewness: Floats = np.divide(
        (influence**3).mean(-1), spread, out=np.zeros_like(spread), where=spread > np.finfo(np.float64).tiny
    )
    return skewness


def _stretched(reach: float, skewness: Floats, num_blocks: int) -> Floats:
    """Return where Hall's cubic transformation of a t statistic reaches ``reach``."""
    root = np.sqrt(num_blocks)
    some = np.where(np.abs(skewness) < 1e-6, 1e-6, skewness)  # the limit is the identity
    inner = 1 + some * (reach / root - some / (6 * num_blocks))
    stretched: Floats = 3 * root / some * (np.cbrt(inner) - 1)
    return stretched
