"""The process expects what a Gaussian process does, and finds which coordinates matter."""

from __future__ import annotations

import numpy as np
import pytest

from synthcity.search.proposers.surrogates.coordinates import squared
from synthcity.search.proposers.surrogates.process import Process, _likeliest, _matern


def drawn(count: int, seed: int = 0) -> tuple[list[np.ndarray], np.ndarray]:
    """Three coordinates, of which the first decides."""
    rng = np.random.default_rng(seed)
    points = [rng.random((count, 1)) for _ in range(3)]
    values = np.sin(6.0 * points[0][:, 0]) + rng.normal(scale=0.1, size=count)
    return points, values - values.mean()


def test_it_predicts_what_it_did_not_see_and_knows_how_well() -> None:
    points, values = drawn(60)
    process = Process.fit([each[:40] for each in points], values[:40])
    mean, deviation = process.predict([each[40:] for each in points])
    assert np.sqrt(np.mean((mean - values[40:]) ** 2)) < 0.35 * values.std()
    assert np.all(np.abs(mean - values[40:]) < 6.0 * (deviation + 0.1))


def test_what_does_not_matter_has_the_longest_scale() -> None:
    points, values = drawn(60)
    process = Process.fit(points, values)
    assert process.scales[0] < 0.5 * process.scales[1:].min()
    assert 0.0005 < process.noise < 0.2


def test_predictions_are_those_of_the_textbook() -> None:
    points, values = drawn(12)
    process = Process(points=points, values=values, scales=np.array([0.5, 2.0, 3.0]), noise=0.1)
    kernel = _matern(np.tensordot(process.scales**-2.0, squared(points, points), 1))[0]
    inverse = np.linalg.inv(kernel + 0.1 * np.eye(12))
    variance = values @ inverse @ values / 12
    mean, deviation = process.predict(points)
    assert mean == pytest.approx(kernel @ inverse @ values, abs=1e-4)
    assert deviation**2 == pytest.approx(variance * np.diag(kernel - kernel @ inverse @ kernel), rel=1e-3)


def test_the_fit_is_where_nothing_near_is_likelier() -> None:
    points, values = drawn(30)
    apart = squared(points, points)
    scales, noise = _likeliest(apart, values)

    def loss(logs: np.ndarray) -> float:
        kernel = _matern((apart * np.exp(-2.0 * logs[:3, None, None])).sum(axis=0))[0]
        kernel = kernel + (np.exp(logs[3]) + 1e-6) * np.eye(30)
        variance = values @ np.linalg.solve(kernel, values) / 30
        prior = ((logs[:3] - 0.3) ** 2).sum() + ((logs[3] + 1.5) / 1.5) ** 2
        return float(0.5 * (30 * np.log(variance) + np.linalg.slogdet(kernel)[1] + prior))

    best = np.log(np.r_[scales, noise])
    for at in range(4):
        for step in (-0.2, 0.2):
            assert loss(best) < loss(best + step * (np.arange(4) == at))


def test_what_is_believed_changes_no_mean_there_and_narrows_it() -> None:
    points, values = drawn(20)
    process = Process.fit(points, values)
    there = [np.array([[0.5]])] * 3
    (mean,), (deviation,) = process.predict(there)
    (after,), (left,) = process.believing(there).predict(there)
    assert after == pytest.approx(mean, abs=1e-3)
    assert left < deviation


def test_nobody_to_believe_in_changes_nothing() -> None:
    points, values = drawn(20)
    process = Process.fit(points, values)
    same = process.believing([np.empty((0, 1))] * 3)
    assert np.array_equal(same.values, process.values)


def test_values_that_are_all_alike_are_no_fault() -> None:
    points, _ = drawn(12)
    mean, deviation = Process.fit(points, np.zeros(12)).predict(points)
    assert not mean.any()
    assert np.isfinite(deviation).all()
