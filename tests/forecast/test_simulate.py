"""One ensemble from anybody, checked before anyone relies on it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from synthcity.errors import ConfigError
from synthcity.forecast.baselines import baseline
from synthcity.forecast.simulate import simulate
from synthcity.market.bars import Market
from synthcity.sn50.prompt import Prompt
from tests.forecast.conftest import DAY, START

PROMPT = Prompt(asset="BTC", start_time=START + 60 * DAY, time_length=3600, time_increment=300, num_simulations=9)


class Fixed:
    name = "fixed"

    def __init__(self, paths: Any) -> None:
        self.paths = paths

    def simulate(self, history: Any, prompt: Prompt, *, seed: int | None = None) -> Any:
        return self.paths

    def simulate_many(self, history: Any, prompts: Any, *, seed: int | None = None) -> Any:
        return [self.paths for _ in prompts]


def test_a_name_a_forecaster_and_a_series_give_the_same(market: Market) -> None:
    history = market.as_of(PROMPT.start_time)
    wanted = baseline("trailing").simulate(history, PROMPT, seed=3)
    np.testing.assert_array_equal(simulate("trailing", history, PROMPT, seed=3), wanted)
    np.testing.assert_array_equal(simulate(baseline("trailing"), history, PROMPT, seed=3), wanted)
    bars = market["BTC", 300].until(PROMPT.start_time)
    series = pd.Series(bars.close, pd.to_datetime(bars.observed, unit="s", utc=True))
    np.testing.assert_allclose(simulate("trailing", series, PROMPT, seed=3), wanted)


@pytest.mark.parametrize(
    ("paths", "sentence"),
    [
        (np.ones((9, 12)), r"fixed returned paths of shape \(9, 12\) for BTC, asked for \(9, 13\)"),
        (np.zeros((9, 13)), "fixed returned a price that is not finite and positive"),
        (np.full((9, 13), np.nan), "fixed returned a price that is not finite and positive"),
    ],
)
def test_paths_that_no_validator_takes_are_refused(market: Market, paths: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        simulate(Fixed(paths), market.as_of(PROMPT.start_time), PROMPT)


def test_arguments_of_another_kind_are_one_sentence(market: Market) -> None:
    history = market.as_of(PROMPT.start_time)
    with pytest.raises(ValueError, match="list is no forecaster: it needs a name, simulate and simulate_many"):
        simulate(["fhs"], history, PROMPT)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"prompt must be a synthcity\.Prompt, not dict"):
        simulate("fhs", history, {})  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="did you mean 'fhs'"):
        simulate("fsh", history, PROMPT)
