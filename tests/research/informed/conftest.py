"""A market whose volatility swings in seven hours, and what was learned of it."""

from __future__ import annotations

import pytest

from synthcity.durations import DAY
from synthcity.market.bars import Market
from synthcity.market.periods import Period
from synthcity.research.control.recipes import Cycle
from synthcity.research.informed.forecaster import Informed
from synthcity.research.informed.kept import Kept
from synthcity.research.informed.learning import learn
from synthcity.research.labbook import Origin
from synthcity.research.measuring.trial import Judge
from tests.research.conftest import ASSETS, START, competition, market_of

WAVES = Kept.of("cycle-7-1-0a1b2c", Origin(recipe=Cycle(hours=7.0, harmonics=1).to_dict()))
TRAIN = Period(start=START + 35 * DAY, end=START + 50 * DAY)


@pytest.fixture(scope="session")
def swings(swinging: Judge) -> Market:
    return market_of(swinging.known)


@pytest.fixture(scope="session")
def learned(swings: Market) -> Informed:
    found, notes = learn([WAVES], swings, ASSETS, competition(), TRAIN)
    assert found is not None
    assert notes == ()
    return found
