"""Two-speed volatility and what it leaves: the filter in filtered historical simulation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class TwoSpeed:
    """A variance that is the blend of a fast and a slow exponentially weighted mean; the fast half fades ahead.

    Half-lives are hours of whatever clock the steps run on.
    """

    fast_half_life_hours: float
    slow_half_life_hours: float
    fast_weight: float
    decay_half_life_hours: float

    def filter(self, z: Floats, step_seconds: int) -> Filtered:
        """Run over returns ``z`` (n,) without their season, ``step_seconds`` apart."""
        square = z**2
        fast, slow = (
            _ewma(square, hours * 3600 / step_seconds)
            for hours in (self.fast_half_life_hours, self.slow_half_life_hours)
        )
        return Filtered(variance=self.fast_weight * fast + (1 - self.fast_weight) * slow, fast=fast, slow=slow)

    def ahead(self, filtered: Filtered, hours: Floats) -> Floats:
        """Return the variance expected after each of ``hours`` (k,) from the last return: (k,)."""
        fast, slow = filtered.fast[-1], filtered.slow[-1]
        decay = 0.5 ** (hours / self.decay_half_life_hours)
        variance: Floats = slow + self.fast_weight * (fast - slow) * decay
        return variance


@dataclass(frozen=True, eq=False, kw_only=True)
class Filtered:
    """Variances up to and including each return, (n,) each."""

    variance: Floats
    fast: Floats
    slow: Floats


def unit_residuals(z: Floats, filtered: Filtered, recent: NDArray[np.bool_]) -> Floats:
    """Return the ``recent`` (n,) returns in units of the volatility just before, symmetrised, of unit variance."""
    with np.errstate(divide="ignore", invalid="ignore"):
        residuals = (z[1:] / np.sqrt(filtered.variance[:-1]))[recent[1:]]
    residuals = residuals[np.isfinite(residuals)]  # a price that stood still from the first bar on
    residuals /= np.sqrt(np.mean(residuals**2))
    return np.concatenate([residuals, -residuals])


def _ewma(x: Floats, half_life: float) -> Floats:
    """Exponentially weighted mean up to and including each point; early points share what there is."""
    mean: Floats = pd.Series(x).ewm(halflife=half_life).mean().to_numpy()
    return mean
