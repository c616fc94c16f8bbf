from __future__ import annotations

from pathlib import Path

import pytest

from synthcity.errors import ConfigError
from synthcity.forecast.baselines import baseline
from synthcity.forecast.choose import choose


def test_a_baseline_by_name_and_a_bundle_by_folder(tmp_path: Path) -> None:
    baseline("ewma").save(tmp_path / "fhs")
    assert choose("fhs").name == "fhs"
    assert choose(str(tmp_path / "fhs")).name == "ewma"


def test_a_baseline_for_the_network_is_quantised_and_a_bundle_as_it_is(tmp_path: Path) -> None:
    baseline("ewma").save(tmp_path / "own")
    assert choose("fhs", quantised=True).name == "fhs+q"
    assert choose(str(tmp_path / "own"), quantised=True).name == "ewma"


def test_an_unknown_name_is_one_sentence() -> None:
    with pytest.raises(ConfigError, match=r"unknown forecaster 'fsh'; did you mean 'fhs'.*nor is there such a bundle"):
        choose("fsh")
