from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthcity.forecast.forecaster import Paths
from synthcity.forecast.mixing import Mix, split_paths
from synthcity.forecast.quantise import Quantised
from synthcity.market.bars import History, Market
from synthcity.sn50.prompt import Prompt


class Flat:
    """Every path i stands at ``level + i / 1000``: shows who drew a path and which one it was."""

    def __init__(self, level: float) -> None:
        self.level = level
        self.name = f"flat{level}"
        self.seeds: list[int | None] = []

    def simulate(self, history: History | pd.Series, prompt: Prompt, *, seed: int | None = None) -> Paths:
        self.seeds.append(seed)
        return np.repeat(self.level + np.arange(prompt.num_simulations)[:, None] / 1000, prompt.num_steps + 1, axis=1)

    def simulate_many(self, history: History, prompts: Sequence[Prompt], *, seed: int | None = None) -> list[Paths]:
        return [self.simulate(history, prompt, seed=seed) for prompt in prompts]


HISTORY = Market({}).as_of(0)
PROMPT = Prompt(asset="BTC", start_time=0, num_simulations=10)


def test_shares_the_paths_out_by_largest_remainder() -> None:
    paths = Mix([Flat(1), Flat(2), Flat(3)], [0.36, 0.5, 0.14]).simulate(HISTORY, PROMPT, seed=0)
    assert np.unique(np.floor(paths[:, 0]), return_counts=True)[1].tolist() == [4, 5, 1]
    assert paths.shape == (10, 289)


def test_shuffles_and_gives_each_member_a_seed_of_its_own() -> None:
    one, two = Flat(1), Flat(2)
    paths = Mix([one, two], [0.5, 0.5]).simulate(HISTORY, PROMPT, seed=0)[:, 0]
    assert not (np.diff(paths) > 0).all()
    assert one.seeds != two.seeds


def test_one_asset_s_path_belongs_to_the_same_path_of_another() -> None:
    prompts = [PROMPT, Prompt(asset="ETH", start_time=0, num_simulations=10)]
    btc, eth = Mix([Flat(1), Flat(2)], [0.5, 0.5]).simulate_many(HISTORY, prompts, seed=0)
    np.testing.assert_array_equal(btc, eth)


def test_a_member_without_paths_is_not_asked() -> None:
    idle = Flat(2)
    Mix([Flat(1), idle], [0.97, 0.03]).simulate(HISTORY, PROMPT, seed=0)
    assert idle.seeds == []


@pytest.mark.parametrize("weights", [[0.5, 0.6], [1.5, -0.5], [1.0]])
def test_refuses_weights_off_the_simplex(weights: list[float]) -> None:
    with pytest.raises(ValueError, match="weights"):
        Mix([Flat(1), Flat(2)], weights)


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=8).filter(any), st.integers(1, 1000))
def test_split_is_whole_and_within_one_of_exact(weights: list[float], num_paths: int) -> None:
    share = np.array(weights) / np.sum(weights)
    counts = split_paths(share, num_paths)
    assert counts.sum() == num_paths
    assert (counts >= 0).all()
    assert (np.abs(counts - share * num_paths) < 1 + 1e-6).all()


def test_members_of_a_quantised_mix_quantise_their_own_shares() -> None:
    class Exact(Flat):
        def simulate_quantised(
            self, history: History, prompts: Sequence[Prompt], *, seed: int | None = None
        ) -> list[Paths]:
            return [np.full((prompt.num_simulations, 289), self.level) for prompt in prompts]

    paths = Quantised(Mix([Exact(1), Flat(2)], [0.4, 0.6])).simulate(HISTORY, PROMPT, seed=0)
    assert sorted(np.floor(paths[:, 0])) == [1] * 4 + [2] * 6
    assert (paths[paths[:, 0] < 2] == 1).all()  # its own quantiles, not condensed draws
