from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthcity.forecast.baselines import baseline
from synthcity.forecast.named import Named
from synthcity.forecast.quantise import Quantised, quantise
from synthcity.market.bars import Market
from synthcity.sn50.prompt import Prompt

T0 = 1_748_736_000 + 65 * 86400


def _draws(num: int, num_steps: int = 20, seed: int = 0) -> np.ndarray:
    steps = 0.01 * np.random.default_rng(seed).standard_normal((num, num_steps))
    return 100 * np.exp(np.cumsum(np.c_[np.zeros(num), steps], axis=1))


def _ratios(paths: np.ndarray) -> np.ndarray:
    return paths[:, 1:] / paths[:, :-1]


@given(factor=st.integers(1, 9), num_paths=st.integers(1, 40), seed=st.integers(0, 99))
def test_every_step_has_the_quantiles_of_all_draws(factor: int, num_paths: int, seed: int) -> None:
    draws = _draws(num_paths * factor, num_steps=3, seed=seed)
    paths = quantise(draws, num_paths)
    runs = np.sort(_ratios(draws), axis=0).reshape(num_paths, factor, 3)
    np.testing.assert_allclose(np.sort(_ratios(paths), axis=0), np.median(runs, axis=1), rtol=1e-12)


def test_factor_one_changes_nothing_but_the_order() -> None:
    draws = _draws(50)
    paths = quantise(draws, 50)
    by_end = [np.argsort(one[:, -1]) for one in (draws, paths)]
    np.testing.assert_allclose(paths[by_end[1]], draws[by_end[0]], rtol=1e-12)


def test_paths_keep_their_ranks_and_so_their_dependence() -> None:
    rng = np.random.default_rng(1)
    sizes = np.exp(rng.standard_normal((4000, 1)))  # calm and wild paths
    draws = 100 * np.exp(np.cumsum(0.001 * sizes * rng.standard_normal((4000, 200)), axis=1))

    def spread(paths: np.ndarray) -> float:
        return float(np.log(_ratios(paths).std(axis=1)).std())

    assert abs(spread(quantise(draws, 500)) / spread(draws) - 1) < 0.1
    assert spread(rng.permuted(draws, axis=0)) < 0.5 * spread(draws)  # what lost ranks would look like


def test_costs_less_against_outcomes_of_the_same_law() -> None:
    num, outcomes = 50, np.sort(_ratios(_draws(20_000, 5, seed=9)), axis=0)

    def crps(values: np.ndarray) -> float:  # (num, steps), mean over outcomes
        distance = np.abs(values[:, None] - outcomes[None, ::20]).mean()
        return float(distance - np.abs(values[:, None] - values[None]).mean() / 2)

    pairs = [
        (crps(_ratios(quantise(draws, num))), crps(_ratios(draws[:num])))
        for draws in (_draws(8 * num, 5, seed=seed) for seed in range(20))
    ]
    condensed, plain = np.mean(pairs, axis=0)
    # drawing num values costs 1 / num of the law's own score; almost all of it comes back
    assert 0.7 / num < plain / condensed - 1 < 1.3 / num


def test_refuses_what_cannot_be_split() -> None:
    with pytest.raises(ValueError, match="10 draws are no multiple of 3 paths"):
        quantise(_draws(10), 3)
    with pytest.raises(ValueError, match="factor must be at least 1, got 0"):
        Quantised(baseline("fhs"), factor=0)


def test_a_forecaster_that_knows_no_marginals_is_condensed_from_more_draws(market: Market) -> None:
    history, prompt = market.as_of(T0), Prompt(asset="BTC", start_time=T0, num_simulations=30)
    drawn = Named(baseline("ewma"), "drawn")
    paths = Quantised(drawn, factor=4).simulate(history, prompt, seed=1)
    (draws,) = drawn.simulate_many(history, [replace(prompt, num_simulations=120)], seed=1)
    np.testing.assert_array_equal(paths, quantise(draws, 30))


def test_name_shows_it() -> None:
    assert Quantised(baseline("fhs")).name == "fhs+q"
