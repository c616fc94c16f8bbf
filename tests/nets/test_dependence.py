"""Assets that move together are measured so, and their paths are drawn so."""

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from synthcity.forecast.bundles.bundle import load
from synthcity.market.bars import Bars, Market
from synthcity.market.dataset import Dataset, build_dataset
from synthcity.market.windows import WindowSpec
from synthcity.nets.dependence import asset_correlation, joint_factor, rank_correlation
from synthcity.nets.forecaster import NetForecaster, _joint_groups
from synthcity.nets.training import Trainer
from synthcity.sn50.prompt import Prompt
from tests.nets.conftest import START

DAY = 86400
ASSETS = ("BTC", "ETH", "SOL")
TRUE = np.array([[1.0, 0.8, 0.3], [0.8, 1.0, 0.1], [0.3, 0.1, 1.0]])
HEADS = ("gbm", "sde", "mixture", "flow", "quantile", "copula")
SMALL = {"d_model": 16, "history": 24, "patch": 1, "blocks": []}


def correlated_market(days: int = 20, seed: int = 0) -> Market:
    """Jointly Student-t steps with 5 degrees of freedom under one volatility that clusters."""
    rng = np.random.default_rng(seed)
    n = days * DAY // 300
    level = np.zeros(n)
    for i in range(1, n):
        level[i] = 0.99 * level[i - 1] + 0.05 * rng.normal()
    common = np.sqrt(3 / rng.chisquare(5, n)) * np.exp(level)
    steps = 1e-3 * common * (np.linalg.cholesky(TRUE) @ rng.normal(size=(3, n)))
    time = START + 300 * np.arange(n, dtype=np.int64)
    return Market(
        {
            (asset, 300): Bars(time, close, close * 1.001, close * 0.999, close, np.ones(n), 300)
            for asset, close in zip(ASSETS, 100 * np.exp(np.cumsum(steps, axis=1)), strict=True)
        }
    )


@pytest.fixture(scope="module")
def market() -> Market:
    return correlated_market()


@pytest.fixture(scope="module")
def tied(market: Market) -> Dataset:
    return build_dataset(
        market,
        competition="crypto-24h",
        rules="2026-09",
        spec=WindowSpec.of(300, 288),
        assets=ASSETS,
        train=(START + 7 * DAY, START + 16 * DAY),
        validation=(START + 16 * DAY, START + 20 * DAY),
        validation_every=DAY // 4,
        coefficients=dict.fromkeys(ASSETS, 1.0),
    )


def untrained(dataset: Dataset, head: str = "gbm") -> NetForecaster:
    config = {**SMALL, "head": {"name": head}}
    return NetForecaster.from_state(Trainer(config, dataset, seed=0, num_rungs=1, max_steps=1).state())


def prompts(*assets: str, num: int = 400, day: int = 18) -> list[Prompt]:
    return [Prompt(asset=asset, start_time=START + day * DAY, num_simulations=num) for asset in assets]


def changes(paths: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.diff(np.log(paths), axis=1)


def correlation(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    return float(np.corrcoef(changes(first).ravel(), changes(second).ravel())[0, 1])


def test_finds_the_correlation_of_the_training_period(tied: Dataset):
    np.testing.assert_allclose(asset_correlation(tied).numpy(), TRUE, atol=0.05)


def test_does_not_look_past_the_training_period(market: Market, tied: Dataset):
    calm = {
        asset: Bars(**{**vars(market[asset, 300]), "close": _flattened(market[asset, 300].close)}) for asset in ASSETS
    }
    other = build_dataset(
        Market({(asset, 300): bars for asset, bars in calm.items()}),
        competition="crypto-24h",
        rules="2026-09",
        spec=tied.spec,
        assets=ASSETS,
        train=(START + 7 * DAY, START + 16 * DAY),
        validation=(START + 16 * DAY, START + 20 * DAY),
        validation_every=DAY // 4,
        coefficients=dict.fromkeys(ASSETS, 1.0),
    )
    assert torch.equal(asset_correlation(tied), asset_correlation(other))


def _flattened(close: NDArray[np.float64]) -> NDArray[np.float64]:
    after = 17 * 288
    return np.concatenate([close[:after], close[after] * (1 + 1e-4 * np.arange(len(close) - after))])


@pytest.mark.parametrize("missing", [0.0, 0.6])
def test_measures_pairs_on_what_both_show(missing: float):
    rng = np.random.default_rng(1)
    values = np.linalg.cholesky(TRUE) @ rng.normal(size=(3, 40_000)) * np.exp(rng.normal(size=40_000))
    values[rng.random(values.shape) < missing] = np.nan
    np.testing.assert_allclose(rank_correlation(values), TRUE, atol=0.035)


def test_outliers_and_ties_do_no_harm():
    rng = np.random.default_rng(1)
    values = np.round(np.linalg.cholesky(TRUE) @ rng.normal(size=(3, 40_000)), 1)
    values[0, :20] = 1e9
    values[1, :20] = -1e9
    np.testing.assert_allclose(rank_correlation(values), TRUE, atol=0.02)


def test_is_positive_definite_and_finite_whatever_is_seen():
    """Pairs that contradict each other, one asset seen once and one never."""
    rng = np.random.default_rng(2)
    a, b, c = rng.normal(size=(3, 4000))
    values = np.full((5, 12_000), np.nan)
    values[0, :4000] = values[1, :4000] = a
    values[1, 4000:8000] = values[2, 4000:8000] = b
    values[2, 8000:], values[0, 8000:] = c, -c
    values[3, 11_999] = 1.0
    found = rank_correlation(values)
    assert np.isfinite(found).all()
    np.testing.assert_allclose(np.diag(found), 1.0)
    assert np.linalg.eigvalsh(found)[0] > 1e-3
    assert found[0, 1] > 0.3
    assert found[0, 2] < -0.3
    np.testing.assert_allclose(found[3:, :3], 0.0, atol=1e-9)


def test_few_common_steps_are_shrunk():
    values = np.repeat(np.random.default_rng(3).normal(size=(1, 50)), 2, axis=0)
    assert rank_correlation(values)[0, 1] == pytest.approx(0.5)


@pytest.mark.parametrize("head", HEADS)
def test_paths_of_assets_are_tied_as_the_assets_were(head: str, tied: Dataset, market: Market):
    forecaster = untrained(tied, head)
    history = market.as_of(START + 18 * DAY)
    order = (2, 0, 1)
    asked = prompts(*(ASSETS[i] for i in order))
    drawn = forecaster.simulate_many(history, asked, seed=5)
    for i, j in ((0, 1), (0, 2), (1, 2)):
        assert correlation(drawn[i], drawn[j]) == pytest.approx(TRUE[order[i], order[j]], abs=0.06)
    again = forecaster.simulate_many(history, asked, seed=5)
    for one, other in zip(drawn, again, strict=True):
        np.testing.assert_array_equal(one, other)


def test_with_an_identity_matrix_assets_are_independent(tied: Dataset, market: Market):
    forecaster = untrained(tied)
    forecaster.network.correlation.copy_(torch.eye(3))
    drawn = forecaster.simulate_many(market.as_of(START + 18 * DAY), prompts(*ASSETS), seed=5)
    assert abs(correlation(drawn[0], drawn[1])) < 0.02


@pytest.mark.parametrize("head", HEADS)
def test_a_joint_draw_has_the_marginals_of_a_single_one(head: str, tied: Dataset, market: Market):
    """Two-sample distance of Kolmogorov and Smirnov; 1.95 sqrt(2 / n) is passed once in a thousand times."""
    n = 4000
    forecaster, history = untrained(tied, head), market.as_of(START + 18 * DAY)
    joint = forecaster.simulate_many(history, prompts("BTC", "ETH", num=n), seed=5)[1]
    single = forecaster.simulate(history, prompts("ETH", num=n)[0], seed=6)
    for value in (np.log(joint[:, 1] / single[0, 0]), np.log(joint[:, -1] / joint[:, -2])), (joint[:, -1],):
        others = (np.log(single[:, 1] / single[0, 0]), np.log(single[:, -1] / single[:, -2]), single[:, -1])
        for one, other in zip(value, others[2:] if len(value) == 1 else others, strict=False):
            points = np.concatenate([one, other])
            below = [np.searchsorted(np.sort(x), points, side="right") / n for x in (one, other)]
            assert np.abs(below[0] - below[1]).max() < 1.95 * math.sqrt(2 / n)


def test_prompts_of_other_times_stay_independent(tied: Dataset, market: Market):
    forecaster = untrained(tied)
    apart = [*prompts("BTC"), *prompts("ETH", day=19)]
    first, second = forecaster.simulate_many(market.as_of(START + 18 * DAY), apart, seed=5)
    assert abs(correlation(first, second)) < 0.02


def test_a_lone_prompt_is_drawn_as_before(tied: Dataset, market: Market):
    forecaster, history = untrained(tied), market.as_of(START + 18 * DAY)
    alone = forecaster.simulate(history, prompts("ETH")[0], seed=5)
    apart = forecaster.simulate_many(history, [*prompts("ETH"), *prompts("BTC", day=19)], seed=5)[0]
    np.testing.assert_array_equal(alone, apart)


def test_sizes_may_differ_and_an_asset_may_be_asked_twice(tied: Dataset, market: Market):
    forecaster, history = untrained(tied), market.as_of(START + 18 * DAY)
    asked = [*prompts("BTC", num=300), *prompts("ETH", "ETH", num=200)]
    btc, eth, other = forecaster.simulate_many(history, asked, seed=5)
    assert [len(paths) for paths in (btc, eth, other)] == [300, 200, 200]
    assert correlation(btc[:200], eth) > 0.6
    assert abs(correlation(btc[:200], other)) < 0.03
    assert abs(correlation(eth, other)) < 0.03


def test_groups_share_time_and_hold_an_asset_once():
    asked = [*prompts("BTC", "ETH"), *prompts("BTC", day=19), *prompts("BTC", "SOL")]
    assert _joint_groups(asked) == [[0, 1, 4], [2], [3]]


def test_the_correlation_travels_in_the_bundle(tied: Dataset, market: Market, tmp_path):
    forecaster, history = untrained(tied), market.as_of(START + 18 * DAY)
    forecaster.save(tmp_path / "bundle")
    loaded = load(tmp_path / "bundle")
    want = forecaster.simulate_many(history, prompts(*ASSETS, num=50), seed=5)
    got = loaded.simulate_many(history, prompts(*ASSETS, num=50), seed=5)
    np.testing.assert_array_equal(want, got)
    assert correlation(got[0], got[1]) > 0.6


def test_factor_is_that_of_the_chosen_assets():
    matrix = torch.from_numpy(TRUE).float()
    factor = joint_factor(matrix, [2, 0])
    torch.testing.assert_close(factor @ factor.T, matrix[[2, 0]][:, [2, 0]])
