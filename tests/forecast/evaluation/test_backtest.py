from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synthcity.errors import ConfigError, DataError, NotCovered, TrialFailed
from synthcity.forecast.baselines import baseline
from synthcity.forecast.evaluation.backtest import (
    backtest,
    backtest_prompts,
    check_paths,
    collect,
    prompt_seed,
    realised_prices,
    score_prompt,
)
from synthcity.forecast.forecaster import Forecaster, Paths
from synthcity.market.bars import Bars, History, Market
from synthcity.research.inputs import InputRefused
from synthcity.sn50.prompt import Prompt
from synthcity.sn50.scoring import score

DAY = 86400
START = 1_748_736_000
T0 = START + 61 * DAY
END = START + 70 * DAY
FEW = {"start": T0, "end": T0 + 2 * DAY, "every": DAY // 2, "num_simulations": 40}


class Bent(Forecaster):
    """Returns whatever it was given as paths."""

    name = "bent"

    def __init__(self, paths: Paths) -> None:
        self.paths = paths

    def simulate(self, history: History | pd.Series, prompt: Prompt, *, seed: int | None = None) -> Paths:
        return self.paths


def test_prompts_are_over_by_the_end() -> None:
    prompts = backtest_prompts("crypto-24h", ["BTC", "ETH"], START, START + 3 * DAY, 11 * 3600)
    assert sorted({prompt.start_time for prompt in prompts}) == [START + k * 11 * 3600 for k in range(5)]
    assert len(prompts) == 10
    assert {(p.time_length, p.time_increment, p.num_simulations) for p in prompts} == {(DAY, 300, 1000)}
    assert backtest_prompts("crypto-1h", ["BTC"], START, START + 3600, 60)[0].time_increment == 60


def test_prompts_need_room() -> None:
    with pytest.raises(DataError, match="no prompt of 86400 s fits between 2025-06-01"):
        backtest_prompts("crypto-24h", ["BTC"], START, START + DAY - 1, 3600)
    with pytest.raises(ValueError, match="positive time apart, got 0"):
        backtest_prompts("crypto-24h", ["BTC"], START, START + DAY, 0)


@pytest.mark.parametrize(
    ("name", "start", "every", "message"),
    [
        ("crypto-24h", START + 60, 3600, "cannot start at 2025-06-01 00:01, but at whole multiples of 5m"),
        ("crypto-24h", START, 97 * 60, "cannot come every 1h 37m"),
        ("crypto-1h", START + 30, 3600, "cannot start at 2025-06-01 00:00:30"),
    ],
)
def test_prompts_between_two_bars_are_refused(name: str, start: int, every: int, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        backtest_prompts(name, ["BTC"], start, start + 3 * DAY, every)
    assert backtest_prompts("crypto-1h", ["BTC"], START, START + DAY, 97 * 60)


class Tired(Forecaster):
    """Cannot answer some prompts, or none."""

    name = "tired"

    def __init__(self, error: Exception, *, always: bool = False) -> None:
        self.error, self.always = error, always

    def simulate(self, history: History | pd.Series, prompt: Prompt, *, seed: int | None = None) -> Paths:
        if self.always or prompt.start_time == T0:
            raise self.error
        return baseline("trailing").simulate(history, prompt, seed=seed)


@pytest.mark.parametrize(
    "error",
    [
        DataError("it never moved"),
        TrialFailed("it hung"),
        InputRefused("other columns"),
        ZeroDivisionError("0"),
        np.linalg.LinAlgError("no"),
    ],
)
def test_a_prompt_that_one_cannot_answer_is_lost_for_all_and_counted(market: Market, error: Exception) -> None:
    prompts = backtest_prompts("crypto-24h", ["BTC", "ETH"], **FEW)
    result = backtest([baseline("trailing"), Tired(error)], market, prompts, "crypto-24h")
    assert dict(result.lost) == {f"tired: {error}": 2}
    assert (result.num_prompts, result.dropped) == (len(prompts) - 2, 0)
    assert result.scores.groupby("forecaster").size().to_dict() == {"trailing": 4, "tired": 4}
    assert T0 not in result.scores["start_time"].to_numpy()


def test_a_flat_day_costs_its_prompts_and_no_more(market: Market) -> None:
    bars = market["BTC", 300]
    still = (bars.time >= T0 - DAY - 600) & (bars.time < T0)
    flat = {name: np.where(still, 100.0, getattr(bars, name)) for name in ("open", "high", "low", "close")}
    flat_market = Market({("BTC", 300): Bars(bars.time, *flat.values(), np.where(still, 0.0, bars.volume), 300)})
    prompts = backtest_prompts("crypto-24h", ["BTC"], **FEW)
    result = backtest([baseline("trailing"), baseline("reference")], flat_market, prompts, "crypto-24h")
    assert list(result.lost) == ["trailing: the price of BTC never moved in 288 bars; trailing cannot fit"]
    assert result.num_prompts == len(prompts) - 1


def test_what_can_never_be_answered_is_an_error_with_its_reason(market: Market) -> None:
    prompts = backtest_prompts("crypto-24h", ["BTC"], **FEW)
    with pytest.raises(DataError, match=r"none of 3 prompts could be answered by everybody; 3 times tired: too young"):
        backtest([Tired(DataError("too young"), always=True)], market, prompts, "crypto-24h")
    with pytest.raises(NotCovered):
        backtest([Tired(NotCovered("no XRP"))], market, prompts, "crypto-24h")


def test_scores_are_the_network_s_of_paired_seeds(market: Market) -> None:
    forecasters = [baseline("reference"), baseline("trailing")]
    result = backtest(forecasters, market, backtest_prompts("crypto-24h", ["BTC", "ETH"], **FEW), "crypto-24h", seed=3)
    assert len(result.scores) == 2 * 2 * 3
    assert (result.num_prompts, result.dropped, result.competition) == (6, 0, "crypto-24h")
    row = result.scores.query("asset == 'ETH' and forecaster == 'trailing'").iloc[1]
    prompt = Prompt(asset="ETH", start_time=int(row["start_time"]), num_simulations=40)
    paths = baseline("trailing").simulate(market.as_of(prompt.start_time), prompt, seed=prompt_seed(3, prompt))
    truth = market.realised("ETH", prompt.grid, 300)
    assert row["total"] == score(paths, truth, "crypto-24h").total
    intervals = [name for name in result.scores.columns if name.startswith("i_")]
    assert "i_5min" in intervals
    assert abs(row[intervals].sum() / row["total"] - 1) < 1e-9


def test_neither_order_nor_company_matters(market: Market) -> None:
    prompts = backtest_prompts("crypto-24h", ["BTC", "ETH"], **FEW)
    both = backtest([baseline("fhs"), baseline("ewma")], market, prompts, "crypto-24h").scores
    alone = backtest([baseline("ewma")], market, prompts[::-1], "crypto-24h").scores
    pd.testing.assert_frame_equal(both.query("forecaster == 'ewma'").reset_index(drop=True), alone)


def test_spread_over_processes_it_is_the_same(market: Market) -> None:
    prompts = backtest_prompts("crypto-24h", ["BTC", "ETH"], **FEW)
    forecasters = [baseline("trailing"), baseline("reference")]
    whole = backtest(forecasters, market, prompts, "crypto-24h", seed=1)
    rows = [row for prompt in prompts[::-1] for row in score_prompt(forecasters, market, prompt, "crypto-24h", seed=1)]
    pd.testing.assert_frame_equal(whole.scores, collect(rows, prompts, "crypto-24h").scores)


def test_seeds_differ_between_prompts() -> None:
    prompts = [Prompt(asset=asset, start_time=t) for asset in ("BTC", "ETH") for t in range(0, 3000, 300)]
    assert len({prompt_seed(seed, prompt) for prompt in prompts for seed in (0, 1)}) == 40
    assert all(0 <= prompt_seed(0, prompt) < 2**63 for prompt in prompts)
    few = Prompt(asset="BTC", start_time=0, num_simulations=3)
    assert prompt_seed(0, few) == prompt_seed(0, prompts[0])


def test_prompts_without_a_last_price_are_dropped_and_counted(market: Market) -> None:
    prompts = backtest_prompts("crypto-24h", ["BTC"], END - 2 * DAY, END + DAY, DAY // 2, 40)
    done: list[tuple[int, int]] = []
    result = backtest(
        [baseline("reference")], market, prompts, "crypto-24h", progress=lambda *counts: done.append(counts)
    )
    assert (result.num_prompts, result.dropped) == (3, 2)
    assert done == [(i, 5) for i in range(1, 6)]
    with pytest.raises(DataError, match="none of 2 prompts has a realised last price"):
        backtest([baseline("reference")], market, prompts[3:], "crypto-24h")


def test_a_hole_in_the_middle_is_scored_around(market: Market) -> None:
    bars = market["BTC", 300]
    there = np.abs(bars.time - T0 - DAY // 2) > 3000
    columns = (getattr(bars, name)[there] for name in ("time", "open", "high", "low", "close", "volume"))
    holed = Market({("BTC", 300): Bars(*columns, resolution=300)})
    prompt = Prompt(asset="BTC", start_time=T0, num_simulations=40)
    assert np.isnan(realised_prices(holed, prompt)).sum() == 21  # type: ignore[arg-type]
    whole, less = (score_prompt([baseline("reference")], m, prompt, "crypto-24h")[0] for m in (market, holed))
    assert 0.85 * whole["total"] < less["total"] < 0.97 * whole["total"]


def test_refuses_bars_that_are_not_there(market: Market) -> None:
    with pytest.raises(DataError, match="no 300-second bars of WTIOIL; the market holds BTC 300s, ETH 300s"):
        score_prompt([baseline("fhs")], market, Prompt(asset="WTIOIL", start_time=T0), "crypto-24h")


def test_refuses_one_name_twice(market: Market) -> None:
    with pytest.raises(ValueError, match=r"distinct names, got \['fhs', 'fhs'\]"):
        score_prompt([baseline("fhs")] * 2, market, Prompt(asset="BTC", start_time=T0), "crypto-24h")


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        (np.ones((40, 288)), r"bent returned paths of shape \(40, 288\) for BTC, asked for \(40, 289\)"),
        (np.zeros((40, 289)), "bent returned a price that is not finite and positive"),
        (np.full((40, 289), np.nan), "bent returned a price that is not finite and positive"),
    ],
)
def test_refuses_paths_no_validator_would_take(market: Market, paths: Paths, message: str) -> None:
    prompt = Prompt(asset="BTC", start_time=T0, num_simulations=40)
    check_paths(np.ones((40, 289)), prompt, "flat")
    with pytest.raises(ValueError, match=message):
        score_prompt([Bent(paths)], market, prompt, "crypto-24h")  # type: ignore[list-item]


def test_a_score_that_overflows_is_no_best_score(market: Market) -> None:
    wild = np.ones((40, 289))
    wild[0, 1:3] = 1e-200, 1e200
    with pytest.raises(ValueError, match="bent returned paths whose score overflows"):
        score_prompt([Bent(wild)], market, Prompt(asset="BTC", start_time=T0, num_simulations=40), "crypto-24h")  # type: ignore[list-item]
