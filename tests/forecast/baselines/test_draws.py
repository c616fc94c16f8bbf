from __future__ import annotations

import numpy as np
import pytest

from synthcity.forecast.baselines.draws import Draws, Stratified

VALUES = np.random.default_rng(0).standard_normal(5000) ** 3


def test_a_stratified_column_holds_the_quantiles_of_its_law() -> None:
    middles = (np.arange(200) + 0.5) / 200
    drawn = Stratified(3).of(VALUES, 200, 7)
    np.testing.assert_allclose(np.sort(drawn, axis=0), np.tile(np.quantile(VALUES, middles)[:, None], 7))
    uniform = Stratified(3).uniform(200, 7)
    np.testing.assert_allclose(np.sort(uniform, axis=0), np.tile(middles[:, None], 7), rtol=1e-6)
    normal = np.sort(Stratified(3).normal(1001, 2), axis=0)
    np.testing.assert_allclose(normal[[25, 500, 975], 0], [-1.9519, 0, 1.9519], atol=1e-4)
    student = np.sort(Stratified(3).student(4.0, 1001, 2), axis=0)[:, 1]
    assert student[500] == 0
    assert student[[25, 975]] == pytest.approx([-2.77, 2.77], rel=0.05)  # 2.5 % of Student's t with four degrees


@pytest.mark.parametrize("kind", [Draws, Stratified])
def test_columns_are_independent_and_a_seed_fixes_them(kind: type[Draws]) -> None:
    for draw in (
        lambda draws: draws.of(VALUES, 1000, 40),
        lambda draws: draws.uniform(1000, 40),
        lambda draws: draws.normal(1000, 40),
        lambda draws: draws.student(4.0, 1000, 40),
    ):
        drawn = draw(kind(3))
        assert drawn.shape == (1000, 40)
        np.testing.assert_array_equal(drawn, draw(kind(3)))
        ranks = drawn.argsort(axis=0).argsort(axis=0)
        correlation = np.corrcoef(ranks.T)[~np.eye(40, dtype=bool)]
        assert np.abs(correlation).max() < 0.15
        assert correlation.std() == pytest.approx(1000**-0.5, rel=0.15)


def test_plain_draws_are_not_stratified() -> None:
    assert len(np.unique(Draws(3).of(VALUES, 1000, 1))) < 1000
    assert not np.allclose(np.sort(Draws(3).uniform(100, 1)[:, 0]), (np.arange(100) + 0.5) / 100, atol=0.004)
