"""What research inside a search is: its folds end where validation begins."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from synthcity.durations import DAY
from synthcity.errors import DataError
from synthcity.search.data import SearchData
from synthcity.search.researching import plan
from synthcity.search.researching.plan import plan_research
from tests.research.conftest import ASSETS, START
from tests.search.researching.conftest import config


def test_its_folds_are_the_train_period_and_what_it_keeps_goes_where_the_search_says(
    data: SearchData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "HISTORY", 10 * DAY)
    own = plan_research(config(seed=7), data, tmp_path)
    folds = own.folds
    assert (folds.learn.start, folds.confirm.end) == (START + 10 * DAY, data.periods.train.end)
    assert [(fold.start - START) // DAY for fold in (folds.find, folds.confirm)] == [25, 47]
    assert (folds.parts, own.rounds, own.trials, own.seed, own.competition) == (1, 1, 2, 7, "crypto-24h")
    assert own.library == str(tmp_path / "research" / "library")
    assert (own.prices.path, own.prices.assets) == ("the simulated market 0", ASSETS)
    assert plan_research(config(library="mine"), data, tmp_path).library == "mine"


def test_a_train_period_that_is_too_short_is_told(data: SearchData, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"has 0 days after the first 62 of the prices, and research needs 40"):
        plan_research(config(), data, tmp_path)
    later = replace(data.periods.train, start=START + 50 * DAY)
    late = replace(data, periods=replace(data.periods, train=later))
    with pytest.raises(DataError, match=r"begin data\.periods\.train earlier"):
        plan_research(config(), late, tmp_path)
