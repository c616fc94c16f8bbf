"""Differences come with their noise, and are believed as far as it lets them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from synthcity.forecast.evaluation.evidence import Estimate, combined, paired, shrunk


def test_paired_differences_leave_out_what_all_share() -> None:
    rng = np.random.default_rng(0)
    weather, weight = 5000 + 800 * rng.standard_normal(30), rng.uniform(1, 2, 30)
    better = weather * (1 - 0.001) + rng.normal(0, 1, 30)
    [found, itself] = paired(np.array([better, weather]), weather, weight)
    assert found.mean == pytest.approx(-0.1, abs=0.02)
    assert 0.002 < found.error < 0.02
    assert found.clear
    assert itself == Estimate(mean=0.0, error=0.0)


def test_the_error_is_the_spread_over_worlds() -> None:
    rng = np.random.default_rng(1)
    found = []
    for _ in range(400):
        other = 5000 + 500 * rng.standard_normal(20)
        found.append(paired((other + rng.normal(0, 20, 20))[None], other, np.ones(20))[0])
    means = np.array([each.mean for each in found])
    assert np.mean([each.error for each in found]) == pytest.approx(means.std(), rel=0.1)


def test_one_block_tells_nothing_of_its_noise() -> None:
    [found] = paired(np.array([[99.0]]), np.array([100.0]), np.array([1.0]))
    assert found.mean == pytest.approx(-1.0)
    assert math.isinf(found.error)
    assert not found.clear


def test_a_noisy_difference_is_believed_in_part_and_a_sure_one_almost_whole() -> None:
    noisy, sure = shrunk(Estimate(mean=-0.1, error=0.1)), shrunk(Estimate(mean=-0.1, error=0.005))
    assert -0.03 < noisy.mean < -0.01
    assert not noisy.clear
    assert sure.mean == pytest.approx(-0.1, abs=0.002)
    assert sure.clear


def test_nothing_is_believed_of_what_has_no_known_noise() -> None:
    assert shrunk(Estimate(mean=-9.0, error=math.inf)).mean == 0.0
    assert not shrunk(Estimate(mean=-9.0, error=math.inf)).clear


def test_two_estimates_weigh_by_their_noise() -> None:
    sure, unsure = Estimate(mean=-0.1, error=0.01), Estimate(mean=0.3, error=0.1)
    assert combined(sure, unsure).mean == pytest.approx(-0.1 + 0.4 / 101)
    assert combined(unsure, Estimate(mean=9.0, error=math.inf)) == unsure
    assert combined(Estimate(mean=9.0, error=math.inf), sure) == sure
    assert combined(Estimate(mean=0.0, error=0.0), sure).mean == 0.0
