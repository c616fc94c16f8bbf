"""A search over the market of the research tests, which swings in seven hours."""

from __future__ import annotations

from typing import Any

import pytest

from synthcity.durations import DAY, HOUR
from synthcity.market.bars import Market
from synthcity.market.periods import Period, Periods
from synthcity.schema import plain
from synthcity.search.config import SearchConfig, parse_config
from synthcity.search.data import SearchData
from synthcity.sn50.competitions import get_rules
from tests.research.conftest import ASSETS, START, competition, swinging
from tests.research.informed.conftest import swings
from tests.research.informed.test_columns import windows

__all__ = ["swinging", "swings"]
PERIODS = Periods(
    train=Period(start=START, end=START + 60 * DAY),
    validation=Period(start=START + 60 * DAY, end=START + 66 * DAY),
    test=Period(start=START + 66 * DAY, end=START + 72 * DAY),
)


def config(*settings: str, **search: Any) -> SearchConfig:
    told = {
        "competition": "crypto-24h",
        "data": {"source": "simulated", "assets": list(ASSETS), "periods": plain(PERIODS)},
        "search": {"research": {"rounds": 1, "trials": 2}, **search},
    }
    return parse_config(told, settings)


def data_of(market: Market, periods: Periods, venue: str) -> SearchData:
    """Return what a search works on, of a market at hand."""
    return SearchData(
        competition=competition(),
        rules=get_rules(),
        assets=ASSETS,
        venues=(venue,),
        periods=periods,
        market=market,
        dataset=windows(market),
        validation_every=5 * HOUR,
        test_every=5 * HOUR,
    )


@pytest.fixture
def data(swings: Market) -> SearchData:
    return data_of(swings, PERIODS, "simulated")
