"""A drawn regression of the log of movement: what columns say of how much larger a step is than expected.

The absolute return in units of what was expected, over its mean, is taken for exponential with mean ``exp(x b)``: a
likelihood that is convex, weighs a crash by its size and not by its square, and whose Fisher information does not
depend on ``b``, so that scoring needs one factorisation (McCullagh and Nelder, 1989, section 8).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from synthcity.market.bars import Floats

AnyFloats = NDArray[np.floating]
_STEPS, _ENOUGH = 40, 1e-4
_MOST = 3.0  # of a log multiplier


def fit(x: AnyFloats, size: Floats, strength: Floats) -> Floats:
    """Return coefficients (k,) of columns ``x`` (n, k) for sizes (n,) of mean about 1.

    Args:
        x: columns.
        size: absolute values that are expected to be ``exp(x b)``.
        strength: (k,) by how many rows of a column of unit variance each coefficient is drawn to nothing.
    """
    information = (x.T @ x).astype(np.float64) + np.diag(strength + 1e-6)
    inverse = np.linalg.inv(information)
    found = np.zeros(x.shape[1])
    for _ in range(_STEPS):
        weight = size * np.exp(-predict(x, found)) - 1.0
        step = inverse @ (x.T @ weight.astype(x.dtype) - strength * found)
        largest = float(np.abs(step).max())
        found += step / max(1.0, largest)  # the first steps of a wild column may not leap
        if largest < _ENOUGH:
            break
    return found


def predict(x: AnyFloats, coefficients: Floats) -> Floats:
    """Return log multipliers (...) of columns (..., k), bounded."""
    return np.clip((x @ coefficients.astype(x.dtype)).astype(np.float64), -_MOST, _MOST)
