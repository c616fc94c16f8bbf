"""The suite passes what keeps the contract and finds what does not; every packaged example is held to it."""

from __future__ import annotations

import pytest

from synthcity.authored import conformance
from synthcity.authored.conformance import check_feature, check_forecaster
from synthcity.authored.examples import FEATURES, FORECASTERS
from synthcity.authored.feature import FeatureSource
from synthcity.authored.forecaster import ForecasterSource
from synthcity.conformance import Broken
from synthcity.errors import SynthcityError

GOOD = '''"""A level."""
import numpy as np
NAME = "level_now"
LOOKBACK_DAYS = 1
PAST = ("level",)


def past(history):
    close = history.bars[history.resolution].close
    return np.nan_to_num(np.log(close[-1:].T))
'''
WRONG = {
    "values_are_of_the_asked_shape_and_finite": ("np.nan_to_num(np.log(close[-1:].T))", "np.log(close[-1:].T)"),
    "columns_tell_times_or_assets_apart": ("np.nan_to_num(np.log(close[-1:].T))", "np.ones((close.shape[1], 1))"),
    "a_call_is_quick": ("    return", "    for k in range(50000):\n        close.sum()\n    return"),
}


@pytest.mark.parametrize("name", ["others_move", pytest.param("minute_bursts", marks=pytest.mark.slow)])
def test_packaged_features_keep_the_contract(name: str) -> None:
    source = FeatureSource.of(FEATURES[name])
    assert source.name == name
    assert check_feature(source) == {}


@pytest.mark.slow
@pytest.mark.parametrize("name", FORECASTERS)
def test_packaged_forecasters_keep_that_of_all_forecasters(name: str) -> None:
    source = ForecasterSource.of(FORECASTERS[name])
    assert source.name == name
    assert check_forecaster(source) == {}


def test_every_packaged_feature_is_tested() -> None:
    assert set(FEATURES) == {"others_move", "minute_bursts"}


@pytest.mark.parametrize("check", WRONG)
def test_what_is_wrong_is_found_by_its_name(check: str) -> None:
    assert GOOD.count(WRONG[check][0]) == 1
    source = FeatureSource.of(GOOD.replace(*WRONG[check]))
    with pytest.raises(SynthcityError) as caught:
        conformance.CHECKS[check](source)
    assert isinstance(caught.value, Broken) or "not finite" in str(caught.value)
