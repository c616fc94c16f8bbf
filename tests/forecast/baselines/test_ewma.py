from __future__ import annotations

import numpy as np
import pytest

from synthcity.forecast.baselines.ewma import Ewma, EwmaConfig
from synthcity.market.bars import Bars, Market
from synthcity.sn50.prompt import Prompt

START = 1_748_736_000
PROMPT = Prompt(asset="BTC", start_time=START + 3 * 86400, num_simulations=500)


def _steps(bars: Bars, config: EwmaConfig | None = None) -> np.ndarray:
    paths = Ewma(config).simulate(Market({("BTC", 300): bars}).as_of(PROMPT.start_time), PROMPT, seed=1)
    return np.diff(np.log(paths))


def test_weighs_the_past_by_its_age(bars_factory) -> None:  # type: ignore[no-untyped-def]
    bars = bars_factory(days=3)
    age_hours = (len(bars) - 1 - np.arange(len(bars))) / 12
    steps = np.where(age_hours < 6, 0.002, 0.004) * np.tile([1, -1], len(bars) // 2)
    close = 100 * np.exp(np.cumsum(steps))
    planted = Bars(bars.time, close, close, close, close, bars.volume, 300)
    config = EwmaConfig(half_life_hours=6, degrees_of_freedom=30)
    # half of the weight lies in the last half-life
    assert abs(_steps(planted, config).std() / np.sqrt((0.002**2 + 0.004**2) / 2) - 1) < 0.02


def test_has_fat_tails_and_unit_scale(bars_factory) -> None:  # type: ignore[no-untyped-def]
    steps = _steps(bars_factory(days=3), EwmaConfig(degrees_of_freedom=5))
    assert abs(steps.std() / 0.001 - 1) < 0.1
    assert np.mean(np.abs(steps) > 4 * steps.std()) > 0.001  # a normal law has 0.00006


def test_refuses_a_law_without_variance() -> None:
    with pytest.raises(ValueError, match=r"must exceed 2 .* got 2"):
        EwmaConfig(degrees_of_freedom=2)
