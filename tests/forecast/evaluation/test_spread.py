from __future__ import annotations

import os
from collections.abc import Callable, Sequence

import pandas as pd
import pytest

from synthcity.errors import DataError, Fatal
from synthcity.forecast.baselines import baseline
from synthcity.forecast.evaluation.backtest import backtest, backtest_prompts
from synthcity.forecast.evaluation.spread import Job, spread_backtest
from synthcity.forecast.forecaster import Forecaster, Paths
from synthcity.market.bars import History, Market
from synthcity.sn50.prompt import Prompt
from tests.forecast.evaluation.test_backtest import DAY, T0


class Lame(Forecaster):
    """Cannot answer at the first prompt, and ends its process where it is told to."""

    name = "lame"

    def __init__(self, *, deadly: bool) -> None:
        self.deadly = deadly

    def simulate(self, history: History | pd.Series, prompt: Prompt, *, seed: int | None = None) -> Paths:
        assert os.environ["OMP_NUM_THREADS"] == "1"
        if self.deadly:
            os._exit(1)
        if prompt.start_time == T0:
            raise DataError("not at once")
        return baseline("trailing").simulate(history, prompt, seed=seed)


def some() -> Sequence[Forecaster]:
    return [baseline("reference"), Lame(deadly=False)]


def deadly() -> Sequence[Forecaster]:
    return [Lame(deadly=True)]


def job(market: Market, load: Callable[[], Sequence[Forecaster]] = some) -> Job:
    return Job(load=load, market=market, competition="crypto-24h", rules="2026-09", seed=3)


def prompts() -> list[Prompt]:
    return backtest_prompts("crypto-24h", ["BTC", "ETH"], T0, T0 + 3 * DAY, DAY // 2, 20)


def test_over_processes_it_is_the_same_and_losses_are_counted(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    told: list[int] = []
    spread = spread_backtest(job(market), prompts(), lambda done, _: told.append(done), num_workers=2)
    alone = backtest(some(), market, prompts(), "crypto-24h", seed=3)
    pd.testing.assert_frame_equal(
        spread.scores.sort_values(["start_time", "asset", "forecaster"], ignore_index=True),
        alone.scores.sort_values(["start_time", "asset", "forecaster"], ignore_index=True),
    )
    assert dict(spread.lost) == dict(alone.lost) == {"lame: not at once": 2}
    assert told == sorted(told)
    assert told[-1] == len(prompts())


def test_a_process_that_ends_is_a_sentence(market: Market) -> None:
    with pytest.raises(Fatal, match="a process of the backtest ended, perhaps for lack of memory"):
        spread_backtest(job(market, deadly), prompts(), lambda done, of: None, num_workers=2)
