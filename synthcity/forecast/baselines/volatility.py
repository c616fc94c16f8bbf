"""Two-speed volatility and what it leaves: the filter in filtered historical simulation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


class Filtered(Protocol):
    """A volatility fitted to returns (n,) that have no season left."""

    @property
    def variance(self) -> Floats:
        """Variance expected of the next return, after each of them, (n,)."""

    def ahead(self, hours: Floats) -> Floats:
        """Return the variance expected after each of ``hours`` (k,) from the last return: (k,)."""

    def residuals(self, recent: Flags) -> Floats:
        """Return the ``recent`` (n,) returns in units of the volatility just before, symmetrised, to be drawn anew."""


Filter = Callable[[Floats, int], Filtered]
"""From returns without their season and the seconds between them."""


@dataclass(frozen=True, kw_only=True)
class TwoSpeed:
    """A variance that is the blend of a fast and a slow exponentially weighted mean; the fast half fades ahead.

    Half-lives are hours of whatever clock the steps run on.
    """

    fast_half_life_hours: float
    slow_half_life_hours: float
    fast_weight: float
    decay_half_life_hours: float

    def __call__(self, z: Floats, step_seconds: int) -> Filtered:
        """Run over returns ``z`` (n,) without their season, ``step_seconds`` apart."""
        square = z**2
        fast, slow = (
            _ewma(square, hours * 3600 / step_seconds)
            for hours in (self.fast_half_life_hours, self.slow_half_life_hours)
        )
        return _TwoSpeeds(z=z, fast=fast, slow=slow, law=self)


@dataclass(frozen=True, eq=False, kw_only=True)
class _TwoSpeeds:
    """Returns and means of their squares up to and including each, (n,) each."""

    z: Floats
    fast: Floats
    slow: Floats
    law: TwoSpeed

    @property
    def variance(self) -> Floats:
        return self.law.fast_weight * self.fast + (1 - self.law.fast_weight) * self.slow

    def ahead(self, hours: Floats) -> Floats:
        fast, slow = self.fast[-1], self.slow[-1]
        decay = 0.5 ** (hours / self.law.decay_half_life_hours)
        variance: Floats = slow + self.law.fast_weight * (fast - slow) * decay
        return variance

    def residuals(self, recent: Flags) -> Floats:
        """Of unit variance, so that ``ahead`` is the variance of what is drawn."""
        found = past_residuals(self.z, self.variance, recent)
        found /= np.sqrt(np.mean(found**2))
        return np.concatenate([found, -found])


def past_residuals(z: Floats, variance: Floats, recent: Flags) -> Floats:
    """Return the ``recent`` (n,) of returns ``z`` (n,) in units of the volatility just before."""
    with np.errstate(divide="ignore", invalid="ignore"):
        residuals = (z[1:] / np.sqrt(variance[:-1]))[recent[1:]]
    return residuals[np.isfinite(residuals)]  # a price that stood still from the first bar on


def _ewma(x: Floats, half_life: float) -> Floats:
    """Exponentially weighted mean up to and including each point; early points share what there is."""
    mean: Floats = pd.Series(x).ewm(halflife=half_life).mean().to_numpy()
    return mean
