"""Scores of laws against those of draws."""

from __future__ import annotations

import numpy as np
import pytest

from synthcity.research.measuring.law import DEGREES, Horizon, Law, choose_degrees, horizons, mean_size
from synthcity.sn50.competitions import get_competition
from synthcity.sn50.crps import crps
from synthcity.sn50.terms import max_terms


@pytest.mark.parametrize("degrees", [2.5, 4.0, 20.0])
@pytest.mark.parametrize("change", [0.0, 0.0005, -0.004, 0.2])
def test_the_score_is_that_of_many_draws(degrees: float, change: float) -> None:
    size = 0.001
    middles = (np.arange(200_000) + 0.5) / 200_000
    from scipy.special import stdtrit

    draws = stdtrit(degrees, middles) * size / mean_size(degrees)
    told = Law(degrees).crps(np.array([size]), np.array([change]))[0]
    assert told == pytest.approx(1e4 * crps(draws, np.array(change)), rel=2e-3)


def test_what_was_not_seen_has_no_score() -> None:
    assert np.isnan(Law(4.0).crps(np.array([0.001]), np.array([np.nan]))).all()


def test_the_degrees_of_draws_are_found() -> None:
    change = np.random.default_rng(0).standard_t(4, 20_000)
    assert choose_degrees(np.full(len(change), mean_size(4.0)), change) == 4.0
    assert 4.0 in DEGREES


def test_one_price_that_was_not_seen_leaves_two_steps_unknown_and_no_more() -> None:
    prices = np.cumsum(np.arange(7.0))[None]
    prices[0, 2] = np.nan
    steps = Horizon(name="1", first=np.arange(6), last=np.arange(1, 7))
    assert np.array_equal(steps.changes(prices)[0], [1, np.nan, np.nan, 4, 5, 6], equal_nan=True)
    pairs = Horizon(name="3", first=np.array([0, 3]), last=np.array([3, 6]))
    assert pairs.changes(prices)[0].tolist() == [6, 15]


@pytest.mark.parametrize("name", ["crypto-24h", "crypto-1h", "com-equ-24h"])
def test_every_change_of_a_competition_is_scored(name: str) -> None:
    competition = get_competition(name)
    blocks = sum(competition.time_length // block.seconds for block in competition.volatility_blocks)
    assert sum(len(one.first) for one in horizons(competition)) == max_terms(competition) - blocks
    for one in horizons(competition):
        assert one.last.max() <= competition.num_points - 1
        assert one.sums(np.ones((1, competition.num_points - 1)))[0].tolist() == (one.last - one.first).tolist()
