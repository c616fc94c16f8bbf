"""A Gaussian process over networks: Matern 5/2, a length scale for each coordinate of their distance, and noise.

Length scales and noise are the likeliest under log-normal priors, the size of the process follows from them in closed
form (Rasmussen and Williams, 2006, chapter 5). Priors are wide, but keep a coordinate of which little is known from
deciding anything.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize

from synthcity.search.proposers.surrogates.coordinates import Points, joined, squared

_SCALE, _SCALE_WIDTH = 0.3, 1.0  # of the logarithm of a length scale; coordinates go from 0 to 1
_NOISE, _NOISE_WIDTH = -1.5, 1.5  # of the logarithm of the noise's variance, in parts of the process's own
_JITTER = 1e-6
_TINY = 1e-12
_MAX_ITERATIONS = 30


@dataclass(frozen=True, kw_only=True)
class Process:
    """What is expected of networks after ``values`` (n,) were seen at ``points``.

    ``scales`` (coordinates,) are length scales, ``noise`` a variance in parts of the process's own.
    """

    points: Points
    values: np.ndarray
    scales: np.ndarray
    noise: float

    @classmethod
    def fit(cls, points: Points, values: np.ndarray) -> Process:
        """Return the process under which ``values``, whose mean is taken for 0, are the likeliest.

        Example:
            >>> at = np.linspace(0.0, 1.0, 9)[:, None]
            >>> process = Process.fit([at], np.sin(6.0 * at[:, 0]))
            >>> mean, deviation = process.predict([np.array([[0.25], [9.0]])])
            >>> bool(abs(mean[0] - np.sin(1.5)) < 0.1), bool(deviation[1] > 3 * deviation[0])
            (True, True)
        """
        scales, noise = _likeliest(squared(points, points), values)
        return cls(points=points, values=values, scales=scales, noise=noise)

    def predict(self, points: Points) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and standard deviation (m,) of what networks are worth; noise of a training is left out."""
        between, across = self._kernel(self.points), self._kernel(points)
        factor = cho_factor(between + (self.noise + _JITTER) * np.eye(len(between)), lower=True)
        weights = cho_solve(factor, self.values)
        variance = max(float(self.values @ weights) / len(between), _TINY)
        left = 1.0 - np.einsum("ij,ji->i", across, cho_solve(factor, across.T))
        return across @ weights, np.sqrt(variance * np.maximum(left, _TINY))

    def believing(self, points: Points) -> Process:
        """Return the process as if the networks at ``points`` had come to what it expects of them."""
        values = np.append(self.values, self.predict(points)[0])
        return replace(self, points=joined(self.points, points), values=values)

    def _kernel(self, points: Points) -> np.ndarray:
        return _matern(np.tensordot(self.scales**-2.0, squared(points, self.points), 1))[0]


def _likeliest(distances: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, float]:
    """Return length scales and noise for points with squared ``distances`` (coordinates, n, n)."""
    num_coordinates, num_points = distances.shape[:2]
    middle = np.r_[np.full(num_coordinates, _SCALE), _NOISE]
    width = np.r_[np.full(num_coordinates, _SCALE_WIDTH), _NOISE_WIDTH]
    one = np.eye(num_points)

    def loss(logs: np.ndarray) -> tuple[float, np.ndarray]:
        scaled, noise = distances * np.exp(-2.0 * logs[:-1, None, None]), np.exp(logs[-1])
        kernel, slope = _matern(scaled.sum(axis=0))
        factor = cho_factor(kernel + (noise + _JITTER) * one, lower=True)
        inverse = cho_solve(factor, one)
        weights = inverse @ values
        variance = max(float(values @ weights) / num_points, _TINY)
        off = (logs - middle) / width
        told = 0.5 * (num_points * np.log(variance) + off @ off) + np.log(np.diag(factor[0])).sum()
        inner = 0.5 * (inverse - np.outer(weights, weights) / variance)
        change = np.r_[-2.0 * np.einsum("ij,kij->k", inner * slope, scaled), np.trace(inner) * noise]
        return float(told), change + off / width

    bounds = np.stack([middle - 6.0 * width, middle + 6.0 * width], axis=1)
    found = minimize(loss, middle, method="L-BFGS-B", jac=True, bounds=bounds, options={"maxiter": _MAX_ITERATIONS}).x
    return np.exp(found[:-1]), float(np.exp(found[-1]))


def _matern(squared: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return Matern 5/2 and its derivative by the squared distance."""
    root = np.sqrt(5.0 * squared)
    decay = np.exp(-root)
    return (1.0 + root + root * root / 3.0) * decay, -5.0 / 6.0 * (1.0 + root) * decay
