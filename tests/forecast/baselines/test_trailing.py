from __future__ import annotations

import numpy as np

from synthcity.forecast.baselines.trailing import Trailing
from synthcity.market.bars import Bars, Market
from synthcity.sn50.prompt import Prompt

START = 1_748_736_000
PROMPT = Prompt(asset="BTC", start_time=START + 3 * 86400, num_simulations=500)


def _step(bars: Bars) -> float:
    paths = Trailing().simulate(Market({("BTC", 300): bars}).as_of(PROMPT.start_time), PROMPT, seed=1)
    return float(np.diff(np.log(paths)).std())


def test_measures_the_last_day_only(bars_factory) -> None:  # type: ignore[no-untyped-def]
    bars = bars_factory(days=3)
    steps = np.where(np.arange(len(bars)) < 2 * 288, 0.01, 0.002) * np.tile([1, -1], len(bars) // 2)
    close = 100 * np.exp(np.cumsum(steps))
    planted = Bars(bars.time, close, close, close, close, bars.volume, 300)
    assert abs(_step(planted) / 0.002 - 1) < 0.02


def test_a_jump_across_a_gap_does_not_count(bars_factory) -> None:  # type: ignore[no-untyped-def]
    bars = bars_factory(days=3)
    row = np.arange(len(bars))
    close = np.where(row >= 800, 2 * bars.close, bars.close)
    jumped = Bars(bars.time, close, close, close, close, bars.volume, 300)
    there, left = row != 800, close[row != 800]
    with_gap = Bars(bars.time[there], left, left, left, left, bars.volume[there], 300)
    assert abs(_step(with_gap) / 0.001 - 1) < 0.1
    assert _step(jumped) > 0.01
