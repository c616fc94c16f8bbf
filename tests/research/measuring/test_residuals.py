from __future__ import annotations

import numpy as np
import pytest

from synthcity.durations import HOUR
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
    peaks, level = residuals.peaks(3, 30)
    assert peaks["hours"][0] == pytest.approx(7.0, abs=0.1)
    assert peaks["height"][0] > 2 * level
    assert peaks["known"][0] == ""


def test_peaks_are_distinct_and_parts_of_a_day_or_of_the_spacing_are_named(residuals: Residuals) -> None:
    peaks, _ = residuals.peaks(3, 30)
    apart = np.diff(np.sort(1 / peaks["hours"].to_numpy()))
    assert apart.min() * len(residuals.times) * residuals.step / HOUR > 1.9
    assert residuals.spacing == 5 * HOUR
    named = [residuals._known(1 / hours, 0.001) for hours in (24.0, 8.0, 5.0, 2.5, 84.0, 7.0)]
    assert named == ["day", "day/3", "spacing of prompts", "spacing of prompts/2", "week/2", ""]


def test_residuals_are_one_on_the_average_and_told_by_their_keys(residuals: Residuals) -> None:
    by, _ = residuals.by(["asset"])
    assert list(by.index) == list(ASSETS)
    assert np.allclose(by["mean"], 1.0, atol=0.05)
    assert residuals.by(["hour", "weekday"])[0]["count"].sum() == len(residuals.steps)
    assert set(residuals.by(["minute"])[0].index) == set(range(0, 60, 5))


def test_a_lag_of_the_period_goes_with_the_residual(residuals: Residuals) -> None:
    own = np.log(residuals.hourly()[1][:, 0] + 0.1)
    found, _, level = residuals.lagged("BTC", own, [3, 7, 10])
    assert found["correlation"][7] > 0.2
    assert found["correlation"][10] < 0
    assert np.isnan(found["bump"][7])
    assert np.isinf(level) or level > 0


def test_a_bin_that_goes_with_the_cycle_is_found_at_its_lag(residuals: Residuals) -> None:
    times, _ = residuals.hourly()
    bins = (times // HOUR % 7).astype(np.int64)
    z, _ = residuals.binned(bins, 7, [0, 3], 24)
    assert z.shape == (2, 7)
    assert np.argmax(z[1]) == (np.argmax(z[0]) - 3) % 7
