"""Intervals hold the truth as often as they say; the whole study is ``benchmarks/coverage.py``."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.coverage import BEYOND, LAWS, METHODS, Law, calibrated, coverage, promoted
from synthcity.forecast.evaluation.interval import MIN_BLOCKS, block_days, ratio_interval
from synthcity.serve.settlement.challenge import ChallengeConfig

HISTORIES = 12_000  # the standard error of a coverage of 95 % is then 0.2 %


@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)
@pytest.mark.parametrize("blocks", [MIN_BLOCKS, 12, 30])
def test_a_95_percent_interval_holds_the_truth_95_times_in_a_hundred(law: Law, blocks: int):
    held, proven, _ = coverage(calibrated, law, blocks, histories=HISTORIES)
    assert 0.935 <= held <= 0.965
    assert proven <= (0.038 if law.skew > 0 else 0.032)
    if law == Law():
        assert held == pytest.approx(0.95, abs=0.011)
        assert proven == pytest.approx(0.025, abs=0.006)


@pytest.mark.parametrize("name", ["percentile", "BCa"])
def test_plain_bootstraps_would_fail_that(name: str):
    held, proven, _ = coverage(METHODS[name], Law(), MIN_BLOCKS, histories=2000)
    assert held < 0.91
    assert proven > 0.045


@pytest.mark.parametrize("confidence", [0.8, 0.9, 0.975, 0.99])
def test_other_levels_hold_too(confidence: float):
    held, _, _ = coverage(calibrated, LAWS["heavy tails"], 16, histories=HISTORIES, confidence=confidence)
    assert held == pytest.approx(confidence, abs=0.012)


@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)
def test_an_equal_is_promoted_in_one_race_of_twenty_at_most(law: Law):
    assert promoted(law, ChallengeConfig(), histories=HISTORIES) <= 0.053


def test_a_better_challenger_is_promoted_more_often_than_not():
    assert promoted(Law(), ChallengeConfig(), histories=2000, lead=0.005) > 0.5


def test_beyond_the_promise_it_still_fails_less_than_the_bootstrap():
    for law in BEYOND.values():
        own, plain = (coverage(method, law, 16, histories=2000)[1] for method in (calibrated, METHODS["percentile"]))
        assert own < 0.7 * plain


def test_fewer_blocks_have_no_interval():
    ones = np.ones((3, MIN_BLOCKS - 1))
    low, high = ratio_interval(ones, ones)
    assert (low == -np.inf).all()
    assert (high == np.inf).all()
    assert low.shape == (3,)


def test_blocks_without_a_difference_leave_a_point():
    bottom = np.linspace(1.0, 2.0, 12)
    low, high = ratio_interval(0.9 * bottom, bottom)
    assert (float(low), float(high)) == pytest.approx((0.9, 0.9), abs=1e-12)


def test_neither_scale_nor_direction_of_time_matters():
    rng = np.random.default_rng(3)
    bottom = rng.uniform(1, 2, 20)
    top = bottom + 0.1 * rng.standard_normal(20)
    found = np.array(ratio_interval(top, bottom))
    np.testing.assert_allclose(ratio_interval(7 * top, 7 * bottom), found, rtol=1e-12)
    np.testing.assert_allclose(ratio_interval(top[::-1], bottom[::-1]), found, rtol=1e-12)


def test_many_ratios_at_once_are_each_what_they_are_alone():
    rng = np.random.default_rng(4)
    bottom = rng.uniform(1, 2, 15)
    top = rng.uniform(0, 1, (4, 15))
    together = np.array(ratio_interval(top, bottom))
    np.testing.assert_allclose(together.T, [ratio_interval(row, bottom) for row in top], rtol=1e-12)


def test_what_lasts_from_block_to_block_widens_the_interval():
    bottom = np.ones(30)
    wave = np.where(np.arange(30) < 15, 0.1, -0.1)
    lasting = ratio_interval(bottom + wave, bottom)
    mixed = ratio_interval(bottom + np.random.default_rng(0).permutation(wave), bottom)
    assert lasting[1] - lasting[0] > 2 * (mixed[1] - mixed[0])


def test_a_block_is_two_days_where_windows_overlap():
    assert (block_days(86400), block_days(3600)) == (2, 1)
