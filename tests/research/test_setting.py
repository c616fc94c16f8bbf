from __future__ import annotations

from pathlib import Path

import pytest

from synthcity.errors import ConfigError, SynthcityError
from synthcity.research.config import load_config
from synthcity.research.setting import prepare


@pytest.mark.parametrize(
    ("setting", "why"),
    [
        ("competition=crypto-25h", "crypto-24h"),
        ("rules=2020-01", "2020-01"),
        ("every=7min", "whole steps of 300 s"),
        ("competition=crypto-1h", "worlds have bars of 300 s"),
        ("prices.assets=[BTCC]", "BTC"),
        ("prices.world.days=100", "give it more days"),
    ],
)
def test_what_is_wrong_is_told_before_any_prompt(setting: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        prepare(load_config(None, [setting]))


def test_a_store_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SynthcityError, match="nowhere"):
        prepare(load_config(None, ["prices.source=store", f"prices.path={tmp_path / 'nowhere'}"]))
