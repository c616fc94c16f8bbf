from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthcity.sn50.competitions import Interval, get_competition, get_rules
from synthcity.sn50.scoring import network_score, score
from synthcity.sn50.terms import terms

COMPETITIONS = ["crypto-24h", "crypto-1h"]


def answer(competition: str, num_paths: int = 20, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    points = get_competition(competition).num_points
    prices = 100 * np.exp(np.cumsum(rng.normal(0, 1e-3, (num_paths + 1, points)), axis=1))
    return prices[1:], prices[0]


def slow_total(paths: np.ndarray, realised: np.ndarray, competition: str) -> float:
    """The rules once more, term by term, as they are written."""
    chosen = get_competition(competition)

    def term(members: np.ndarray, observed: float) -> float:
        if np.isnan(observed):
            return 0.0
        spread = np.abs(members[:, None] - members[None, :]).mean()
        return float(np.abs(members - observed).mean() - spread / 2)

    def changes(prices: np.ndarray) -> np.ndarray:
        return (prices[..., 1:] - prices[..., :-1]) / prices[..., :-1] * 1e4

    total = 0.0
    for interval in chosen.intervals:
        step = interval.seconds // chosen.time_increment
        simulated, seen = paths[:, ::step], realised[::step]
        if interval.kind == "price":
            total += sum(term(simulated[:, i], seen[i]) / realised[-1] * 1e4 for i in range(1, len(seen)))
            continue
        simulated, seen = changes(simulated), changes(seen)
        last = 1 if interval.kind == "first_change" else len(seen)
        total += sum(term(simulated[:, i], seen[i]) for i in range(last))
    for block in chosen.volatility_blocks:
        size = block.seconds // chosen.time_increment
        simulated, seen = changes(paths), changes(realised)
        for start in range(0, len(seen) - size + 1, size):
            part = seen[start : start + size]
            part = part[~np.isnan(part)]
            if len(part) >= 2:
                members = simulated[:, start : start + size].std(axis=1, ddof=1)
                total += block.weight * term(members, float(part.std(ddof=1)))
    return total


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(COMPETITIONS), st.integers(0, 2**32), st.floats(0, 0.95))
def test_equals_the_rules_written_out_whatever_is_missing(competition: str, seed: int, missing: float) -> None:
    paths, realised = answer(competition, num_paths=7, seed=seed)
    gaps = np.random.default_rng(seed + 1).random(len(realised)) < missing
    realised[gaps] = np.nan
    realised[-1] = 100.0
    assert network_score(paths, realised, competition).total == pytest.approx(
        slow_total(paths, realised, competition), rel=1e-9
    )


@pytest.mark.parametrize("competition", COMPETITIONS)
@pytest.mark.parametrize("num_paths", [1, 600, 5000])
def test_any_number_of_paths(competition: str, num_paths: int) -> None:
    paths, realised = answer(competition, num_paths)
    realised[3] = np.nan
    gathered = terms(paths, realised, competition)
    ordered = np.sort(gathered.ensemble)
    rank = (2 * np.arange(1, num_paths + 1) - num_paths - 1) / num_paths**2
    exact = np.abs(gathered.ensemble - gathered.observed[:, None]).mean(axis=1) - ordered @ rank
    assert network_score(paths, realised, competition).total == pytest.approx(gathered.weights @ exact, rel=1e-10)


def test_terms_are_basis_points_with_the_intervals_names() -> None:
    paths, realised = answer("crypto-24h")
    gathered = terms(paths, realised, "crypto-24h")
    assert gathered.ensemble.shape == (345, 20)
    names, counts = np.unique(gathered.labels, return_counts=True)
    assert dict(zip(names, counts, strict=True)) == {"5min": 288, "30min": 48, "3hour": 8, "24hour_abs": 1}
    half_hours = gathered.observed[gathered.labels == "30min"]
    np.testing.assert_allclose(half_hours, (realised[6::6] / realised[:-6:6] - 1) * 1e4, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(gathered.ensemble[-1], paths[:, -1] / realised[-1] * 1e4)


def test_one_hour_terms_with_volatility() -> None:
    paths, realised = answer("crypto-1h")
    assert len(terms(paths, realised, "crypto-1h", get_rules("2026-05")).weights) == 121
    gathered = terms(paths, realised, "crypto-1h", get_rules("2026-09"))
    assert len(gathered.weights) == 121 + 17
    five_minutes = gathered.labels == "vol_5min"
    np.testing.assert_allclose(gathered.weights[five_minutes], 5.25 / 36)
    changes = (paths[:, 1:6] / paths[:, :5] - 1) * 1e4
    np.testing.assert_allclose(gathered.ensemble[five_minutes][0], changes.std(axis=1, ddof=1))


@pytest.mark.parametrize("competition", COMPETITIONS)
def test_batch_equals_loop(competition: str) -> None:
    pairs = [answer(competition, seed=seed) for seed in range(4)]
    paths = np.stack([pair[0] for pair in pairs]).reshape(2, 2, 20, -1)
    realised = np.stack([pair[1] for pair in pairs]).reshape(2, 2, -1)
    paths[1, 0, 3, 5] = 0.0
    batch = network_score(paths, realised, competition)
    shared = network_score(paths, realised[0, 0], competition)
    for index in np.ndindex(2, 2):
        one = network_score(paths[index], realised[index], competition)
        assert batch.total[index] == one.total
        assert shared.total[index] == network_score(paths[index], realised[0, 0], competition).total
        for name, value in one.intervals.items():
            np.testing.assert_array_equal(batch.intervals[name][index], value)
    assert batch.total[1, 0] == -1


def test_an_empty_batch_has_empty_scores() -> None:
    assert network_score(np.empty((0, 5, 61)), np.ones(61), "crypto-1h").total.shape == (0,)


@pytest.mark.parametrize(("price", "totals"), [(0.0, (-1, -1)), (np.inf, (np.inf, -1)), (-1.0, None), (np.nan, None)])
def test_prices_that_no_market_has(price: float, totals: tuple[float, float] | None) -> None:
    paths, realised = answer("crypto-24h")
    paths[4, 100] = price
    results = [network_score(paths, realised, "crypto-24h", get_rules(date)).total for date in ("2026-05", "2026-09")]
    if totals is None:
        assert 0 < results[0] == results[1] < np.inf
    else:
        assert results == list(totals)


@pytest.mark.parametrize("date", ["2026-05", "2026-09"])
def test_a_total_without_any_valid_member_is_invalid(date: str) -> None:
    paths, realised = answer("crypto-24h")
    paths[:, 100] = np.nan
    assert network_score(paths, realised, "crypto-24h", get_rules(date)).total == -1


def test_a_missing_last_price_costs_the_price_terms_alone() -> None:
    paths, realised = answer("crypto-1h")
    realised[-1] = np.nan
    result = network_score(paths, realised, "crypto-1h")
    assert result.intervals["60min_abs"] == 0
    assert result.intervals["0_60min_gaps"] == 0
    assert result.total > 0


def test_a_short_realised_path_scores_what_has_arrived() -> None:
    paths, realised = answer("crypto-1h")
    result = network_score(paths, realised[:31], "crypto-1h")
    assert result.intervals["0_35min_gaps"] == 0
    assert result.intervals["0_30min_gaps"] == network_score(paths, realised, "crypto-1h").intervals["0_30min_gaps"]
    last = np.abs(paths[:, 30] - realised[30]).mean() - np.abs(paths[:, None, 30] - paths[None, :, 30]).mean() / 2
    assert result.intervals["60min_abs"] == pytest.approx(last / realised[30] * 1e4)


def test_a_price_interval_may_have_several_terms() -> None:
    competition = dataclasses.replace(
        get_competition("crypto-1h"), intervals=(Interval(name="20min_abs", seconds=1200),), volatility_blocks=()
    )
    paths, realised = answer("crypto-1h")
    gathered = terms(paths, realised, competition)
    np.testing.assert_allclose(gathered.observed, realised[20::20] / realised[-1] * 1e4)
    realised[-1] = np.nan
    assert network_score(paths, realised, competition).total == -1


@pytest.mark.parametrize(
    ("paths", "realised", "cause"),
    [
        ((5, 61), (289,), "paths must be"),
        ((289,), (289,), "paths must be"),
        ((0, 289), (289,), "paths must be"),
        ((5, 289), (290,), "realised must be"),
        ((5, 289), (1,), "realised must be"),
        ((2, 5, 289), (3, 289), "does not fit"),
    ],
)
def test_wrong_shapes_are_refused(paths: tuple[int, ...], realised: tuple[int, ...], cause: str) -> None:
    with pytest.raises(ValueError, match=cause):
        network_score(np.ones(paths), np.ones(realised), "crypto-24h")


def test_realised_prices_must_be_prices() -> None:
    realised = np.ones(289)
    realised[5] = 0.0
    with pytest.raises(ValueError, match="realised prices must be positive"):
        network_score(np.ones((5, 289)), realised, "crypto-24h")


def test_terms_take_one_valid_ensemble() -> None:
    with pytest.raises(ValueError, match="one ensemble"):
        terms(np.ones((2, 5, 289)), np.ones(289), "crypto-24h")
    with pytest.raises(ValueError, match="exactly 0"):
        terms(np.zeros((5, 289)), np.ones(289), "crypto-24h")


def test_terms_of_nothing_seen_are_none() -> None:
    gathered = terms(np.ones((5, 289)), np.full(289, np.nan), "crypto-24h")
    assert gathered.ensemble.shape == (0, 5)
    assert len(gathered.observed) == len(gathered.weights) == len(gathered.labels) == 0


@pytest.mark.parametrize(("price", "paths_hit"), [(0.0, 1), (np.inf, 1), (np.nan, 20)])
def test_what_the_network_refuses_has_no_score(price: float, paths_hit: int) -> None:
    """The network's -1 would pass for the best of all."""
    paths, realised = answer("crypto-24h")
    paths[:paths_hit, 1:] = price
    with pytest.raises(ValueError, match="prices must be finite and above 0"):
        score(paths, realised, "crypto-24h")
    assert not network_score(paths, realised, "crypto-24h").valid
