from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from synthcity.forecast.evaluation.foreknown import Foreknown, written_down
from synthcity.market.bars import Floats, Market, Times
from synthcity.sn50.prompt import Prompt

START = 1_760_054_400


class Hourly:
    """Knows from a time on that every full hour after it is wild."""

    def effect(self, asset: str, now: int) -> Callable[[Times], Floats]:
        return lambda minutes: np.where((minutes % 3600 == 0) & (minutes >= now), 3.0, 1.0)

    def ahead(self, asset: str, seconds: int) -> Callable[[Times], Floats]:
        return lambda minutes: np.where(minutes % seconds == 0, 2.0, 1.0)


def test_what_was_known_then_is_written_down() -> None:
    prompts = [Prompt(asset="BTC", start_time=at, time_increment=60, time_length=7200) for at in (START, START + 3600)]
    found = written_down(Market({}, Hourly()), prompts, START - 7200)
    assert found is not None
    minutes = np.arange(START - 7200, START + 7260, 60)
    for prompt in prompts:
        told, told_again = (one.effect("BTC", prompt.start_time)(minutes) for one in (Hourly(), found))
        assert told_again == pytest.approx(told)
        assert (told > 1).any()
    assert found.ahead("BTC", 7200)(minutes) == pytest.approx(Hourly().ahead("BTC", 7200)(minutes))
    assert (found.effect("BTC", START + 60)(minutes) == 1).all()
    assert (found.effect("ETH", START)(minutes) == 1).all()
    assert (Foreknown({}).effect("BTC", START)(minutes) == 1).all()


def test_nothing_is_written_where_nothing_is_known() -> None:
    assert written_down(Market({}), [], 0) is None
