"""Independent random values, column by column of an ensemble: each by itself, or stratified.

Stratified (a Latin hypercube: McKay, Beckman and Conover, 1979), the N members of a column hold the quantiles
(i + 1/2) / N of their law in random order. Where steps are independent, as in all baselines, that alone makes quantised
paths: no further draws are needed.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_MANY = 32  # draws for each quantile of a law whose quantiles have no formula


class Draws:
    """Every value by itself."""

    def __init__(self, seed: int | None) -> None:
        self._rng = np.random.default_rng(seed)

    def of(self, values: Floats, num_members: int, num_steps: int) -> Floats:
        """Draw (num_members, num_steps) of ``values`` (n,), each as likely as any other."""
        which = self._rng.integers(0, len(values), (num_members, num_steps), dtype=np.uint32)
        return values.take(which)

    def uniform(self, num_members: int, num_steps: int) -> NDArray[np.float32]:
        """Draw (num_members, num_steps) in [0, 1)."""
        return self._rng.random((num_members, num_steps), dtype=np.float32)

    def normal(self, num_members: int, num_steps: int) -> Floats:
        """Draw (num_members, num_steps) of the standard normal law."""
        return self._rng.standard_normal((num_members, num_steps))

    def student(self, degrees: float, num_members: int, num_steps: int) -> Floats:
        """Draw (num_members, num_steps) of Student's t."""
        return self._rng.standard_t(degrees, (num_members, num_steps))


class Stratified(Draws):
    """Every column the quantiles of its law, shuffled by itself."""

    def of(self, values: Floats, num_members: int, num_steps: int) -> Floats:
        return self._shuffled(np.quantile(values, _middles(num_members)), num_steps)

    def uniform(self, num_members: int, num_steps: int) -> NDArray[np.float32]:
        return self._shuffled(_middles(num_members), num_steps).astype(np.float32)

    def normal(self, num_members: int, num_steps: int) -> Floats:
        law = NormalDist()
        return self._shuffled(np.array([law.inv_cdf(middle) for middle in _middles(num_members)]), num_steps)

    def student(self, degrees: float, num_members: int, num_steps: int) -> Floats:
        many = self._rng.standard_t(degrees, _MANY * num_members)
        quantiles = np.quantile(many, _middles(num_members))
        return self._shuffled((quantiles - quantiles[::-1]) / 2, num_steps)  # symmetric, as the law is

    def _shuffled(self, column: Floats, num_steps: int) -> Floats:
        rows = np.tile(column, (num_steps, 1))
        self._rng.permuted(rows, axis=1, out=rows)
        return np.ascontiguousarray(rows.T)


def _middles(num: int) -> Floats:
    return (np.arange(num) + 0.5) / num
