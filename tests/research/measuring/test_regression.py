from __future__ import annotations

import numpy as np
import pytest

from synthcity.research.measuring.regression import fit, predict


def test_coefficients_of_draws_are_found_and_drawn_to_nothing() -> None:
    rng = np.random.default_rng(0)
    x = np.stack([np.ones(20_000), rng.standard_normal(20_000)], axis=1)
    size = rng.exponential(np.exp(x @ np.array([0.2, 0.3])))
    free = fit(x, size, np.zeros(2))
    assert free == pytest.approx([0.2, 0.3], abs=0.03)
    drawn = fit(x, size, np.array([0.0, 20_000.0]))
    assert 0.05 < drawn[1] < 0.7 * free[1]


def test_a_crash_is_bounded_in_what_is_predicted() -> None:
    assert predict(np.array([[1e6]]), np.array([1.0])) == pytest.approx([3.0])
