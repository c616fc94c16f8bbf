from __future__ import annotations

import numpy as np
import pytest

from synthcity.research.measuring.residuals import Residuals
from synthcity.research.measuring.trial import Judge
from tests.research.conftest import ASSETS, FOLDS


@pytest.fixture(scope="module")
def residuals(swinging: Judge) -> Residuals:
    return Residuals.of(swinging.cases, FOLDS.confirm.start)


def test_nothing_of_the_confirming_fold_is_there(residuals: Residuals) -> None:
    assert residuals.steps["end"].max() <= FOLDS.confirm.start
    assert residuals.times[-1] <= FOLDS.confirm.start


def test_the_planted_period_is_the_strongest(residuals: Residuals) -> None:
    powers = residuals.powers(3, 30)
    assert powers.idxmax() == pytest.approx(7.0, abs=0.1)
    assert powers.max() > 3 * powers.median()


def test_residuals_are_one_on_the_average_and_told_by_their_keys(residuals: Residuals) -> None:
    by = residuals.by(["asset"])
    assert list(by.index) == list(ASSETS)
    assert np.allclose(by["mean"], 1.0, atol=0.05)
    assert residuals.by(["hour", "weekday"])["count"].sum() == len(residuals.steps)
    assert set(residuals.by(["minute"]).index) == set(range(0, 60, 5))


def test_a_lag_of_the_period_goes_with_the_residual(residuals: Residuals) -> None:
    own = np.log(residuals.hourly()[1][:, 0] + 0.1)
    found = residuals.lagged("BTC", own, [3, 7, 10])
    assert found[7] > 0.2
    assert found[10] < 0
