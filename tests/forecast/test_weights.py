from __future__ import annotations

import itertools

import numpy as np
import pytest

from synthcity.forecast.baselines import baseline
from synthcity.forecast.mixing import split_paths
from synthcity.forecast.weights import (
    PairTerms,
    cross_fitted,
    fitted_weights,
    mean_terms,
    own_scores,
    pair_terms,
    pair_terms_of,
    solve_weights,
)
from synthcity.market.bars import Market
from synthcity.sn50.prompt import Prompt
from synthcity.sn50.scoring import score

T0 = 1_748_736_000 + 61 * 86400


def _ensembles(sigmas: tuple[float, ...], num_paths: int, seed: int = 0) -> np.ndarray:
    """Random walks (K, N, 289), a volatility each; one more member trends."""
    rng = np.random.default_rng(seed)
    steps = np.array(sigmas)[:, None, None] * rng.standard_normal((len(sigmas), num_paths, 289))
    steps[-1] += 2e-4
    steps[..., 0] = 0
    return 100 * np.exp(np.cumsum(steps, axis=-1))


REALISED = _ensembles((0.001, 0.001), 2, seed=5)[0, 0]


def test_quadratic_is_the_score_of_the_mixed_ensemble() -> None:
    ensembles = _ensembles((0.0007, 0.001, 0.0015), 4000)
    weights = np.array([0.2, 0.5, 0.3])
    counts = split_paths(weights, 4000)
    mixed = np.concatenate([one[:n] for one, n in zip(ensembles, counts, strict=True)])
    fitted = pair_terms_of(ensembles, REALISED, "crypto-24h").score(weights)
    assert abs(score(mixed, REALISED, "crypto-24h").total / fitted - 1) < 2e-3


def test_a_single_member_scores_the_fair_form() -> None:
    ensembles = _ensembles((0.001,), 300)
    fitted = pair_terms_of(ensembles, REALISED, "crypto-24h")
    # the score charges 1 / N^2 where the fair form has 1 / (N (N - 1))
    expected = fitted.to_realised - 0.5 * fitted.apart[0] * 299 / 300
    assert abs(score(ensembles[0], REALISED, "crypto-24h").total - expected[0]) < 1e-6 * expected[0]


def test_skips_terms_that_were_never_observed() -> None:
    gappy = REALISED.copy()
    gappy[[10, 150]] = np.nan
    ensembles = _ensembles((0.001,), 200)
    fitted = pair_terms_of(ensembles, gappy, "crypto-24h")
    expected = score(ensembles[0], gappy, "crypto-24h").total
    assert abs((fitted.to_realised - 0.5 * fitted.apart[0] * 199 / 200)[0] / expected - 1) < 1e-9


def test_distances_equal_the_double_loop() -> None:
    ensembles = _ensembles((0.0007, 0.0015), 12)
    found = pair_terms_of(ensembles, REALISED, "crypto-24h").apart
    last = ensembles[..., -1] / REALISED[-1] * 1e4
    returns = [np.diff(ensembles[..., ::k]) / ensembles[..., ::k][..., :-1] * 1e4 for k in (1, 6, 36)]
    terms = np.concatenate([*returns, last[..., None]], axis=-1)
    crossed = np.abs(terms[0][:, None] - terms[1][None]).mean(axis=(0, 1)).sum()
    own = np.abs(terms[0][:, None] - terms[0][None]).sum(axis=(0, 1)).sum() / (12 * 11)
    assert abs(found[0, 1] / crossed - 1) < 1e-9
    assert abs(found[1, 0] / crossed - 1) < 1e-9
    assert abs(found[0, 0] / own - 1) < 1e-9


@pytest.mark.parametrize("seed", range(8))
def test_solution_beats_every_point_of_a_grid(seed: int) -> None:
    rng = np.random.default_rng(seed)
    points = rng.standard_normal((4, 3))
    apart = np.linalg.norm(points[:, None] - points[None], axis=-1)  # Euclidean: conditionally negative
    pairs = PairTerms(np.linalg.norm(points - rng.standard_normal(3), axis=-1), apart)
    best = solve_weights(pairs)
    grid = [np.array(w) / 20 for w in itertools.product(range(21), repeat=4) if sum(w) == 20]
    assert (best >= 0).all()
    assert abs(best.sum() - 1) < 1e-9
    assert pairs.score(best) <= min(pairs.score(w) for w in grid) + 1e-12
    assert pairs.score(best) >= min(pairs.score(w) for w in grid) - 0.02


def test_equal_members_and_a_hopeless_one() -> None:
    apart = np.array([[1.0, 1.0, 1.0], [1.0, 1.0, 1.0], [1.0, 1.0, 1.0]])
    weights = solve_weights(PairTerms(np.array([2.0, 2.0, 9.0]), apart))
    assert weights[2] == 0
    assert abs(weights.sum() - 1) < 1e-9


@pytest.mark.parametrize("size", [0, 11])
def test_refuses_too_many_members(size: int) -> None:
    with pytest.raises(ValueError, match=f"1 to 10 members, got {size}"):
        solve_weights(PairTerms(np.zeros(size), np.zeros((size, size))))


def test_mean_terms_weighs_prompts() -> None:
    one, two = (PairTerms(np.full(2, x), np.full((2, 2), x)) for x in (1.0, 4.0))
    mean = mean_terms([(one, 2.0), (two, 1.0)])
    np.testing.assert_allclose(mean.to_realised, 2.0)
    np.testing.assert_allclose(mean.apart, 2.0)


def test_members_do_not_share_noise(market: Market) -> None:
    prompt = Prompt(asset="BTC", start_time=T0)
    pairs = pair_terms([baseline("trailing")] * 2, market, prompt, "crypto-24h", num_paths=200)
    assert pairs is not None
    # twice the same law, independent draws: as far from each other as from themselves
    np.testing.assert_allclose(pairs.apart / pairs.apart[0, 0], 1.0, atol=0.05)
    beyond = Prompt(asset="BTC", start_time=T0 + 9 * 86400)
    assert pair_terms([baseline("trailing")], market, beyond, "crypto-24h") is None


def test_own_scores_are_the_diagonal_of_the_pair_terms(market: Market) -> None:
    members, prompt = [baseline(name) for name in ("reference", "trailing", "fhs")], Prompt(asset="BTC", start_time=T0)
    pairs = pair_terms(members, market, prompt, "crypto-24h", seed=3, num_paths=50)
    own = own_scores(members, market, prompt, "crypto-24h", seed=3, num_paths=50)
    assert pairs is not None
    assert own is not None
    np.testing.assert_allclose(own, pairs.to_realised - 0.5 * np.diag(pairs.apart), rtol=1e-12)
    beyond = Prompt(asset="BTC", start_time=T0 + 9 * 86400)
    assert own_scores(members, market, beyond, "crypto-24h") is None


def test_fit_prefers_the_true_law(market: Market) -> None:
    members = [baseline("reference"), baseline("trailing")]  # the walk's sigma is far below the table's
    prompts = [Prompt(asset="BTC", start_time=T0 + i * 86400) for i in range(3)]
    pairs = [pair_terms(members, market, prompt, "crypto-24h", num_paths=100) for prompt in prompts]
    assert solve_weights(mean_terms([(found, 1.0) for found in pairs if found is not None]))[1] > 0.8


def test_members_draw_apart_from_each_other(market: Market) -> None:
    """Two of one kind with one noise are one ensemble twice: the pairs of a path with itself make them too near."""
    prompt = Prompt(asset="BTC", start_time=T0, time_increment=300, time_length=86400)
    pairs = pair_terms([baseline("fhs"), baseline("fhs")], market, prompt, "crypto-24h", num_paths=200)
    assert pairs is not None
    assert pairs.apart[0, 1] == pytest.approx(pairs.apart[0, 0], rel=0.05)
    assert pairs.apart[0, 1] != pytest.approx(pairs.apart[0, 0] * 199 / 200, rel=1e-9)


def test_fitted_weights_are_few_and_lean_towards_equal_parts() -> None:
    apart = np.ones((4, 4)) - np.eye(4)
    wanted = np.array([0.7, 0.25, 0.05, 0.0])
    found = fitted_weights(PairTerms(apart @ wanted, apart))
    assert found[2:].tolist() == [0.0, 0.0]
    assert found.sum() == pytest.approx(1.0)
    assert 0.5 < found[0] < 0.7


def test_cross_fitted_scores_never_use_the_prompts_own_fold() -> None:
    apart = np.ones((2, 2)) - np.eye(2)
    first, second = (PairTerms(apart @ np.array(w), apart) for w in ([0.9, 0.1], [0.1, 0.9]))
    rows = [(first, 1.0), (second, 1.0)]
    found = cross_fitted(rows, np.array([0, 1]))
    assert found.shape == (2, 3)
    assert found[0, 2] == pytest.approx(first.score(fitted_weights(second)))
    assert found[1, 0] == pytest.approx(second.to_realised[0])
