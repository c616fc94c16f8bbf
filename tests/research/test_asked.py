from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from synthcity.research.asked import NAME, Earlier, asked_by, write_down
from synthcity.research.config import PricesConfig, ResearchConfig, WorldConfig
from tests.research.conftest import FOLDS

REAL = ResearchConfig(folds=FOLDS, prices=PricesConfig(source="store", path="prices"))


def test_only_claims_on_the_same_days_of_the_same_prices_count(tmp_path: Path) -> None:
    first = asked_by(REAL, ("BTC", "ETH"), 3)
    assert write_down(tmp_path, first) == Earlier(researches=0, claims=0)
    elsewhere = replace(REAL, competition="crypto-1h", prices=PricesConfig(source="store", path="other"))
    assert write_down(tmp_path, asked_by(elsewhere, ("ETH",), 2)) == Earlier(researches=1, claims=3)
    assert write_down(tmp_path, asked_by(REAL, ("SOL",), 1)) == Earlier(researches=0, claims=0)
    world = replace(REAL, prices=PricesConfig(world=WorldConfig(seed=4)))
    assert write_down(tmp_path, asked_by(world, ("BTC",), 1)) == Earlier(researches=0, claims=0)
    later = replace(first, start=first.end, end=first.end + 1)
    assert write_down(tmp_path, later) == Earlier(researches=0, claims=0)
    assert write_down(tmp_path, first) == Earlier(researches=2, claims=5)


@pytest.mark.parametrize("line", ["{", '{"prices": "real"}'])
def test_a_line_that_is_none_is_told(tmp_path: Path, line: str) -> None:
    (tmp_path / NAME).write_text(line + "\n")
    earlier = write_down(tmp_path, asked_by(REAL, ("BTC",), 3))
    assert (earlier.claims, len(earlier.problems)) == (0, 1)
