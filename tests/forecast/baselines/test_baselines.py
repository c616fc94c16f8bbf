from __future__ import annotations

import pytest

from synthcity.errors import ConfigError
from synthcity.forecast.baselines import BASELINES, baseline


def test_each_goes_by_its_name() -> None:
    assert {name: baseline(name).name for name in BASELINES} == {name: name for name in BASELINES}


def test_an_unknown_name_gets_the_nearest() -> None:
    with pytest.raises(ConfigError, match="unknown baseline 'fsh'; did you mean 'fhs'"):
        baseline("fsh")
