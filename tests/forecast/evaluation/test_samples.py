from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from synthcity.errors import DataError
from synthcity.forecast.baselines import baseline
from synthcity.forecast.evaluation.samples import (
    MAX_PROMPTS,
    Sample,
    Samples,
    differs,
    part_of,
    read_samples,
    save_samples,
    score_again,
    spread,
    this_machine,
)
from synthcity.market.bars import Market
from synthcity.market.simulated import SimulatedMarket
from synthcity.market.times import parse_time
from tests.forecast.evaluation.test_foreknown import Hourly

START = parse_time("2025-03-20")


@pytest.fixture(scope="module")
def market() -> Market:
    return SimulatedMarket().market(["BTC", "ETH"], end=START + 3 * 86_400)


def samples(scores: dict[str, float], **changes: object) -> Samples:
    one = Sample(
        asset="BTC",
        start_time=START,
        time_increment=300,
        time_length=86_400,
        num_simulations=50,
        scores=scores,
    )
    made = Samples(
        competition="crypto-24h",
        rules="2026-09",
        seed=7,
        challenger="ewma",
        machine=this_machine(),
        prompts=(one,),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def test_what_was_kept_scores_as_it_did(market: Market, tmp_path: Path) -> None:
    forecasters = [baseline("ewma"), baseline("trailing")]
    [(_, whole)] = score_again(samples({}), market, forecasters)
    part = part_of(market, [samples({}).prompts[0].prompt], days=20)
    assert list(part) == [("BTC", 300)]
    assert len(part["BTC", 300]) == 21 * 288
    save_samples(tmp_path / "kept", samples(whole), part)
    told, prices = read_samples(tmp_path / "kept")
    assert told == samples(whole)
    assert told.is_from_here
    [(prompt, again)] = score_again(told, prices, forecasters)
    assert again == whole == told.prompts[0].scores
    assert prompt.start_time == START


def test_what_was_known_to_come_is_kept_too(market: Market, tmp_path: Path) -> None:
    known = Market(dict(market), Hourly())
    part = part_of(known, [samples({}).prompts[0].prompt], days=None)
    save_samples(tmp_path / "kept", samples({"fhs": 1.0}), part)
    _, prices = read_samples(tmp_path / "kept")
    found = [next(score_again(samples({}), each, [baseline("fhs")]))[1] for each in (known, part, prices)]
    assert found[0] == found[1] == found[2]
    assert next(score_again(samples({}), market, [baseline("fhs")]))[1] != found[0]


def test_prompts_are_spread_over_assets_and_time() -> None:
    rows = [(asset, 100 * at) for asset in ("BTC", "ETH") for at in range(50)]
    found = spread(pd.DataFrame(rows, columns=["asset", "start_time"]), 6)
    assert found == [("BTC", 0), ("ETH", 0), ("BTC", 2400), ("ETH", 2400), ("BTC", 4900), ("ETH", 4900)]
    assert len(spread(pd.DataFrame(rows[:2], columns=["asset", "start_time"]), 20)) == 2


def test_a_past_that_is_too_short_is_told(market: Market) -> None:
    told = samples({})
    with pytest.raises(DataError, match="cannot be answered: ewma"):
        list(score_again(told, part_of(market, [told.prompts[0].prompt], days=0.01), [baseline("ewma")]))


def test_a_figure_is_the_same_to_the_bit_here_and_nearly_elsewhere() -> None:
    near = float(np.nextafter(100.0, 101.0))
    assert differs(near, 100.0, exactly=True)
    assert not differs(near, 100.0, exactly=False)
    assert differs(100.02, 100.0, exactly=False)
    assert differs(float("nan"), float("nan"), exactly=False)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda told: replace(told, prompts=()), "holds 0 prompts"),
        (lambda told: replace(told, prompts=told.prompts * (MAX_PROMPTS + 1)), "prompts, not 1 to"),
        (lambda told: replace(told, prompts=(replace(told.prompts[0], asset="DOGE"),)), "unknown asset 'DOGE'"),
        (lambda told: replace(told, prompts=(replace(told.prompts[0], num_simulations=10**9),)), "num_simulations"),
        (lambda told: replace(told, prompts=(replace(told.prompts[0], time_increment=1),)), "in steps of 1"),
        (lambda told: replace(told, competition="crypto-9h"), "unknown competition 'crypto-9h'"),
    ],
)
def test_a_hostile_file_is_one_sentence(damage: object, said: str, market: Market, tmp_path: Path) -> None:
    path = tmp_path / "kept"
    save_samples(path, damage(samples({"ewma": 1.0})), part_of(market, [samples({}).prompts[0].prompt], 1))  # type: ignore[operator]
    with pytest.raises(DataError, match=said):
        read_samples(path)


def test_what_is_no_such_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is no file of test prompts"):
        read_samples(tmp_path / "none")
    (tmp_path / "text").write_text("hello")
    with pytest.raises(DataError, match="is no file of test prompts"):
        read_samples(tmp_path / "text")
