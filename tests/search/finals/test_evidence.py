"""Differences come with their noise, and many of them are drawn together."""

from __future__ import annotations

import math

import numpy as np
import pytest

from synthcity.search.finals.evidence import Estimate, combined, paired, shrunk


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


def test_a_winner_among_equals_is_drawn_back_and_a_real_one_is_not() -> None:
    rng = np.random.default_rng(2)
    equals = [Estimate(mean=float(m), error=0.05) for m in rng.normal(0, 0.05, 40)]
    best = min(each.mean for each in equals)
    assert best < -0.08
    assert min(each.mean for each in shrunk(equals)) > -0.04
    real = shrunk([*equals, Estimate(mean=-0.6, error=0.05)])[-1]
    assert real.clear
    assert real.mean < -0.2


def test_too_few_to_shrink_stay_as_they_are() -> None:
    known = [Estimate(mean=0.0, error=0.0), Estimate(mean=-0.1, error=0.05)]
    assert shrunk(known) == known
    assert shrunk([]) == []


def test_two_estimates_weigh_by_their_noise() -> None:
    sure, unsure = Estimate(mean=-0.1, error=0.01), Estimate(mean=0.3, error=0.1)
    assert combined(sure, unsure).mean == pytest.approx(-0.1 + 0.4 / 101)
    assert combined(unsure, Estimate(mean=9.0, error=math.inf)) == unsure
    assert combined(Estimate(mean=9.0, error=math.inf), sure) == sure
    assert combined(Estimate(mean=0.0, error=0.0), sure).mean == 0.0
