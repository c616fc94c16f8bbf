from __future__ import annotations

from pathlib import Path

import pytest

from synthcity.errors import ConfigError
from synthcity.forecast.bundles.bundle import load
from synthcity.forecast.bundles.combine import combine


def test_each_part_is_told_with_what_it_is(tmp_path: Path) -> None:
    found = combine(tmp_path / "all", ["crypto-24h:BTC=ewma", "crypto-24h=fhs"])
    assert [(part.way, part.name, part.forecaster.name) for part in found] == [
        ("crypto-24h:BTC", "ewma", "ewma+q"),
        ("crypto-24h", "fhs", "fhs+q"),
    ]
    assert load(tmp_path / "all").name == "all"


def test_a_part_that_never_answers_is_refused_before_anything_is_loaded(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="never answers"):
        combine(tmp_path / "all", ["crypto-24h=fhs", "crypto-24h:BTC=no-such-bundle"])
    assert list(tmp_path.iterdir()) == []
