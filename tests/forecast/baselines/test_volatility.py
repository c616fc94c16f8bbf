from __future__ import annotations

import numpy as np

from synthcity.forecast.baselines.volatility import TwoSpeed

SPEEDS = TwoSpeed(fast_half_life_hours=1.0, slow_half_life_hours=100.0, fast_weight=0.25, decay_half_life_hours=2.0)


def test_blends_a_fast_and_a_slow_mean() -> None:
    z = np.concatenate([np.full(100_000, 1.0), np.full(12, 3.0)])
    filtered = SPEEDS(z, 300)  # 12 steps are an hour, one fast half-life
    np.testing.assert_allclose(filtered.fast[-1], (1 + 9) / 2, rtol=1e-9)
    np.testing.assert_allclose(filtered.slow[-1], 9 - 8 * 0.5**0.01, rtol=1e-6)
    np.testing.assert_allclose(filtered.variance, 0.25 * filtered.fast + 0.75 * filtered.slow)


def test_the_fast_half_fades_ahead() -> None:
    filtered = SPEEDS(np.array([1.0, 3.0]), 300)
    fast, slow = filtered.fast[-1], filtered.slow[-1]
    ahead = filtered.ahead(np.array([0.0, 2.0, 1e6]))
    np.testing.assert_allclose(ahead, [filtered.variance[-1], slow + 0.125 * (fast - slow), slow])


def test_residuals_are_symmetric_of_unit_variance_and_recent() -> None:
    rng = np.random.default_rng(0)
    z = rng.standard_normal(1000)
    filtered = SPEEDS(z, 300)
    residuals = filtered.residuals(np.arange(1000) >= 900)
    assert len(residuals) == 200
    np.testing.assert_allclose([residuals.mean(), residuals.var()], [0, 1], atol=1e-12)
    own = z[900:] / np.sqrt(filtered.variance[899:-1])
    np.testing.assert_allclose(residuals[:100] / residuals[0], own / own[0])


def test_a_price_that_stood_still_at_first_leaves_no_infinity() -> None:
    z = np.concatenate([np.zeros(5), np.ones(50)])
    assert np.isfinite(SPEEDS(z, 300).residuals(np.ones(55, dtype=bool))).all()
