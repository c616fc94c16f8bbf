from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from synthcity.sn50.crps import Workspace, crps, score_rows

# steps of 1/64 keep sums exact enough that laws can be checked to rounding
NUMBERS = st.integers(-(10**6), 10**6).map(lambda number: number / 64)
ENSEMBLES = hnp.arrays(np.float64, st.integers(1, 40), elements=NUMBERS)


def by_definition(members: np.ndarray, observed: float) -> float:
    difference = np.abs(members[:, None] - members[None, :]).mean()
    return float(np.abs(members - observed).mean() - difference / 2)


@given(ENSEMBLES, NUMBERS)
def test_equals_the_definition(members: np.ndarray, observed: float) -> None:
    scale = np.abs(members - observed).max()
    assert crps(members, observed) == pytest.approx(by_definition(members, observed), rel=1e-9, abs=1e-12 * scale)


@given(ENSEMBLES, NUMBERS, st.randoms(use_true_random=False))
def test_order_of_members_is_irrelevant(members: np.ndarray, observed: float, random: object) -> None:
    shuffled = members.copy()
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    scale = np.abs(members - observed).max()
    assert crps(shuffled, observed) == pytest.approx(crps(members, observed), rel=1e-12, abs=1e-13 * scale)


@given(ENSEMBLES, NUMBERS, st.sampled_from([2.0**-20, 0.5, 3.0, 1e4]))
def test_scales_with_its_unit_and_mirrors(members: np.ndarray, observed: float, factor: float) -> None:
    expected = factor * crps(members, observed)
    scale = factor * np.abs(members - observed).max()
    assert crps(-factor * members, -factor * observed) == pytest.approx(expected, rel=1e-11, abs=1e-12 * scale)


@given(ENSEMBLES, NUMBERS)
def test_is_zero_only_for_the_truth_itself(members: np.ndarray, observed: float) -> None:
    value = crps(members, observed)
    if (members == observed).all():
        assert value == 0
    else:
        # the 1/N^2 form leaves at least 1/N of the mean error
        assert value >= 0.99 * np.abs(members - observed).mean() / len(members)


@given(hnp.arrays(np.float64, st.tuples(st.integers(0, 5), st.integers(1, 4), st.integers(1, 30)), elements=NUMBERS))
def test_batch_equals_loop(ensemble: np.ndarray) -> None:
    observed = ensemble[..., 0] + 1.5
    batch = crps(ensemble, observed)
    assert batch.shape == ensemble.shape[:-1]
    for index in np.ndindex(batch.shape):
        assert batch[index] == pytest.approx(float(crps(ensemble[index], observed[index])), rel=1e-12, abs=1e-9)


@pytest.mark.parametrize("num_members", [512, 1000, 4096, 40_000])
@pytest.mark.parametrize("degrees_of_freedom", [3, 30])
def test_large_ensembles_equal_the_sort_of_floats(num_members: int, degrees_of_freedom: int) -> None:
    rng = np.random.default_rng(num_members)
    members = 100 + rng.standard_t(degrees_of_freedom, (40, num_members)) * rng.uniform(0.1, 10, (40, 1))
    observed = 100 + rng.standard_normal(40)
    ordered = np.sort(members - observed[:, None])
    weights = (2 * np.arange(1, num_members + 1) - num_members - 1) / num_members**2
    expected = np.abs(ordered).mean(axis=1) - ordered @ weights
    result = crps(members, observed)
    np.testing.assert_allclose(result, expected, rtol=2e-9)
    assert result.sum() == pytest.approx(expected.sum(), rel=1e-10)


def test_an_outlier_does_not_cost_accuracy() -> None:
    rng = np.random.default_rng(1)
    members = rng.standard_normal((3, 1000))
    members[1, 7] = 1e9
    expected = [by_definition(row, 0.25) for row in members]
    np.testing.assert_allclose(crps(members, np.full(3, 0.25)), expected, rtol=1e-9)


def test_missing_members_are_ignored_and_infinite_ones_are_infinitely_bad() -> None:
    members = np.array([[1.0, 2.0, 4.0], [1.0, np.nan, 4.0], [1.0, np.inf, 4.0], [np.nan] * 3, [1.0, -np.inf, 4.0]])
    result = crps(members, np.full(5, 2.0))
    expected = [by_definition(members[0], 2.0), by_definition(np.array([1.0, 4.0]), 2.0), np.inf, np.nan, np.inf]
    np.testing.assert_allclose(result, expected)


def test_a_missing_observation_has_no_score() -> None:
    np.testing.assert_array_equal(crps(np.ones((2, 3)), [1.0, np.nan]), [0.0, np.nan])


def test_inputs_are_left_alone() -> None:
    members = np.random.default_rng(0).standard_normal((4, 600))
    before = members.copy()
    crps(members, np.zeros(4))
    np.testing.assert_array_equal(members, before)


def test_rows_of_one_workspace_do_not_leak_into_each_other() -> None:
    rng = np.random.default_rng(2)
    work = Workspace(600)
    first, second = rng.standard_normal((2, 5, 600))
    expected = score_rows(second.copy(), np.zeros(5), Workspace(600))
    score_rows(first.copy(), np.zeros(5), work)
    np.testing.assert_array_equal(score_rows(second.copy(), np.zeros(5), work), expected)


@pytest.mark.parametrize(("ensemble", "observed"), [(1.0, 1.0), (np.empty((2, 0)), [1.0, 2.0]), (np.ones((2, 3)), 1.0)])
def test_wrong_shapes_are_refused(ensemble: object, observed: object) -> None:
    with pytest.raises(ValueError, match=r"member on its last axis|less its last"):
        crps(ensemble, observed)  # type: ignore[arg-type]
