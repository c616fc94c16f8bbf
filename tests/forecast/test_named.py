"""The same forecaster under another name."""

from __future__ import annotations

import numpy as np

from synthcity.forecast.baselines import baseline
from synthcity.forecast.dispatch import Dispatch, Route
from synthcity.forecast.forecaster import Forecaster
from synthcity.forecast.named import Named
from synthcity.market.bars import Market
from synthcity.sn50.prompt import Prompt
from tests.forecast.conftest import DAY, START

PROMPT = Prompt(asset="BTC", start_time=START + 60 * DAY, time_length=3600, time_increment=300, num_simulations=9)


def test_it_is_a_forecaster_with_the_others_paths(market: Market) -> None:
    inner = baseline("trailing")
    named, history = Named(inner, "mine"), market.as_of(PROMPT.start_time)
    assert isinstance(named, Forecaster)
    assert (named.name, inner.name) == ("mine", "trailing")
    for seed in (1, 2):
        wanted = inner.simulate(history, PROMPT, seed=seed)
        np.testing.assert_array_equal(named.simulate(history, PROMPT, seed=seed), wanted)
        (one, two) = named.simulate_many(history, [PROMPT, PROMPT], seed=seed)
        (first, second) = inner.simulate_many(history, [PROMPT, PROMPT], seed=seed)
        np.testing.assert_array_equal(one, first)
        np.testing.assert_array_equal(two, second)


def test_it_covers_what_the_other_covers() -> None:
    inner = Dispatch([Route(assets=("ETH",), time_length=3600, time_increment=300)], [baseline("trailing")])
    assert not Named(inner, "mine").covers(PROMPT)
    assert Named(baseline("trailing"), "mine").covers(PROMPT)
