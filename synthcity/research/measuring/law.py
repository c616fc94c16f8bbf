"""The score of a law instead of one of draws: a Student-t for every change, so that there is no noise to compare.

A change over some steps is taken for a Student-t whose mean size follows the volatilities of the steps that it covers.
Its CRPS has a closed form (Jordan, Krueger and Lerch, 2019, "Evaluating probabilistic forecasts with scoringRules").
The terms are those of the competition but for its blocks of volatility, which no closed form gives.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import beta, gammaln, stdtr

from synthcity.market.bars import Floats
from synthcity.sn50.competitions import Competition
from synthcity.sn50.terms import BASIS_POINTS

DEGREES = (2.5, 3.0, 4.0, 5.0, 7.0, 10.0, 20.0)
_LAST, _POINTS = 60.0, 12_001


@dataclass(frozen=True, eq=False, kw_only=True)
class Horizon:
    """The changes of one interval: each covers the steps from ``first`` (m,) up to and without ``last`` (m,)."""

    name: str
    first: NDArray[np.int64]
    last: NDArray[np.int64]

    def changes(self, prices: Floats) -> Floats:
        """Return the changes of log prices (c, horizon + 1), of which the first is that of the start: (c, m).

        One price that was not seen leaves the changes from and to it unknown, as in the network's score, and no more.
        """
        found: Floats = prices[:, self.last] - prices[:, self.first]
        return found

    def sums(self, values: Floats) -> Floats:
        """Sum values (c, horizon), all of them there, over each change: (c, m)."""
        total = np.concatenate([np.zeros((len(values), 1)), np.cumsum(values, axis=1)], axis=1)
        found: Floats = total[:, self.last] - total[:, self.first]
        return found


def horizons(competition: Competition) -> tuple[Horizon, ...]:
    """Return the intervals of a competition whose terms are changes of price."""
    found = []
    steps = competition.num_points - 1
    for interval in competition.intervals:
        size = interval.seconds // competition.time_increment
        last = np.arange(size, steps + 1, size)
        first = last - size
        if interval.kind == "first_change":
            first, last = first[:1], last[:1]
        elif interval.kind == "price":
            first = np.zeros_like(last)
        found.append(Horizon(name=interval.name, first=first, last=last))
    return tuple(found)


def mean_size(degrees: float) -> float:
    """Mean absolute value of a standard Student-t."""
    return float(2 * np.sqrt(degrees) / ((degrees - 1) * beta(degrees / 2, 0.5)))


def standard_crps(degrees: float, z: Floats) -> Floats:
    """CRPS of a standard Student-t at ``z``, by the closed form."""
    log_density = gammaln((degrees + 1) / 2) - gammaln(degrees / 2) - np.log(degrees * np.pi) / 2
    density = np.exp(log_density - (degrees + 1) / 2 * np.log1p(z**2 / degrees))
    least = 2 * np.sqrt(degrees) / (degrees - 1) * beta(0.5, degrees - 0.5) / beta(0.5, degrees / 2) ** 2
    found: Floats = z * (2 * stdtr(degrees, z) - 1) + 2 * density * (degrees + z**2) / (degrees - 1) - least
    return found


class Law:
    """Student-t laws of given degrees, their CRPS read from a table."""

    def __init__(self, degrees: float) -> None:
        self.degrees = degrees
        self._mean = mean_size(degrees)
        self._grid = np.linspace(0.0, _LAST, _POINTS)
        self._table = standard_crps(degrees, self._grid)

    def crps(self, size: Floats, change: Floats) -> Floats:
        """Score laws of mean absolute value ``size`` (...) against changes (...), in basis points; NaN where unseen."""
        scale = size / self._mean
        z = np.abs(change) / scale
        score = np.interp(z, self._grid, self._table) + np.maximum(z - _LAST, 0.0)
        return np.asarray(BASIS_POINTS * scale * score)


def choose_degrees(size: Floats, change: Floats) -> float:
    """Return the degrees of ``DEGREES`` that are likeliest for changes of mean absolute value ``size``, both (n,)."""
    seen = np.isfinite(change) & (size > 0)
    size, change = size[seen], change[seen]
    likelihood = []
    for degrees in DEGREES:
        scale = size / mean_size(degrees)
        constant = gammaln((degrees + 1) / 2) - gammaln(degrees / 2) - np.log(degrees * np.pi) / 2
        density = constant - np.log(scale) - (degrees + 1) / 2 * np.log1p((change / scale) ** 2 / degrees)
        likelihood.append(density.mean())
    return DEGREES[int(np.argmax(likelihood))]
