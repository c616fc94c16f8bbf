"""What is known of one forecaster beside another: a difference with its noise, drawn towards none.

Differences are in percent of the other's score, minus is better. They come from pairs: both are scored on the same
windows, and the windows of one block of days count as one draw. The best of many looks better than it is, and the more
so the noisier; so a difference is believed in the part that is left beside what networks of a search differ by at all
(the posterior mean under a normal law around no difference).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_DIFFER = 0.05  # percent that networks of a search differ by, about; see docs/experiments.md
_PRIOR_BLOCKS = 4  # as many blocks does the mean noise of all weigh beside each one's own


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A difference in percent and the standard deviation of its noise."""

    mean: float
    error: float

    @property
    def clear(self) -> bool:
        """Whether it is better by more than its noise."""
        return self.mean + self.error < 0


def paired(scores_kb: Floats, other_b: Floats, weight_b: Floats) -> list[Estimate]:
    """Return the differences of ``scores_kb`` (candidates, blocks) to ``other_b``; with one block their error is inf.

    Few blocks tell little of their own noise, so each candidate's is drawn towards that of all.
    """
    num_blocks = len(other_b)
    base = float(other_b @ weight_b)
    top = (scores_kb - other_b) * weight_b
    mean = top.sum(axis=1) / base
    if num_blocks < 2:
        return [Estimate(mean=100 * float(m), error=math.inf) for m in mean]
    influence = (top - mean[:, None] * other_b * weight_b) / base
    variance = num_blocks / (num_blocks - 1) * (influence**2).sum(axis=1)
    some = variance[variance > 0]  # one that is compared with itself has none
    pooled = float(some.mean()) if len(some) else 0.0
    freedom = num_blocks - 1
    moderated = np.where(variance > 0, (_PRIOR_BLOCKS * pooled + freedom * variance) / (_PRIOR_BLOCKS + freedom), 0.0)
    return [Estimate(mean=100 * float(m), error=100 * math.sqrt(v)) for m, v in zip(mean, moderated, strict=True)]


def shrunk(estimate: Estimate) -> Estimate:
    """Return what is believed of a difference: the less of it, the noisier it is."""
    return combined(Estimate(mean=0.0, error=_DIFFER), estimate)


def combined(one: Estimate, other: Estimate) -> Estimate:
    """Return what two independent estimates of one difference say together."""
    exact, unknown = (one.error == 0.0, other.error == 0.0), (math.isinf(one.error), math.isinf(other.error))
    if exact[0] or unknown[1]:
        return one
    if exact[1] or unknown[0]:
        return other
    weights = np.array([one.error, other.error]) ** -2
    return Estimate(mean=float(weights @ [one.mean, other.mean] / weights.sum()), error=float(weights.sum() ** -0.5))
