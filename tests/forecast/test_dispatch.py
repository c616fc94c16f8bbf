from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from synthcity.errors import ConfigError, DataError
from synthcity.forecast.baselines import baseline
from synthcity.forecast.bundles.bundle import load
from synthcity.forecast.dispatch import Dispatch, Route
from synthcity.forecast.mixing import Mix
from synthcity.market.bars import Bars, History, Market
from synthcity.sn50.competitions import get_rules
from synthcity.sn50.prompt import Prompt
from tests.forecast.test_mixing import HISTORY, Flat

NOW = 1_753_920_000
DAY = Prompt(asset="BTC", start_time=0, num_simulations=4)
HOUR = Prompt(asset="BTC", start_time=0, time_length=3600, time_increment=60, num_simulations=4)
OTHER = Prompt(asset="ETH", start_time=0, num_simulations=4)


def known() -> History:
    """Forty days of BTC and ETH, known up to ``NOW``."""
    market = {}
    for seed, asset in enumerate(["BTC", "ETH"]):
        for step in (300, 60):
            time = NOW - step * np.arange(40 * 86400 // step, 0, -1)
            close = 100 * np.exp(np.cumsum(0.001 * np.random.default_rng(seed).standard_normal(len(time))))
            market[asset, step] = Bars(time, close, close, close, close, np.ones(len(time)), step)
    return Market(market).as_of(NOW)


def test_each_prompt_goes_to_the_first_that_is_made_for_it() -> None:
    routes = [Route.parse("crypto-24h:BTC"), Route.parse("crypto-24h"), Route.parse("crypto-1h")]
    all_in_one = Dispatch(routes, [Flat(1), Flat(2), Flat(3)])
    assert [all_in_one.simulate(HISTORY, prompt)[0, 0] for prompt in (DAY, OTHER, HOUR)] == [1, 2, 3]
    drawn = all_in_one.simulate_many(HISTORY, [HOUR, DAY, OTHER, HOUR])
    assert [paths[0, 0] for paths in drawn] == [3, 1, 2, 3]
    assert [paths.shape[1] for paths in drawn] == [61, 289, 289, 61]


def test_a_prompt_that_nobody_is_made_for_is_refused() -> None:
    with pytest.raises(DataError, match="no part of dispatch forecasts BTC over 3600 s in steps of 60 s"):
        Dispatch([Route.parse("crypto-24h")], [Flat(1)]).simulate_many(HISTORY, [DAY, HOUR])


@pytest.mark.parametrize("name", get_rules().competitions)
def test_a_competition_covers_what_it_asks_for_and_nothing_else(name: str) -> None:
    competition = get_rules().competitions[name]
    route = Route.parse(name)
    for other in get_rules().competitions.values():
        for asset in other.assets:
            grid = {"time_length": other.time_length, "time_increment": other.time_increment}
            same = grid == {"time_length": competition.time_length, "time_increment": competition.time_increment}
            asked = Prompt(asset=asset, start_time=0, **grid)
            assert route.covers(asked) == (same and asset in competition.assets)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("crypto-2h", "crypto-2h"),
        ("crypto-1h:BTC,BCT", "crypto-1h does not ask for 'BCT' but for BTC"),
        ("crypto-24h:BTC,", "does not ask for ''"),
    ],
)
def test_a_wrong_way_is_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        Route.parse(text)


def test_as_many_forecasters_as_routes() -> None:
    with pytest.raises(ValueError, match="1 routes need as many forecasters, got 0"):
        Dispatch([Route.parse("crypto-1h")], [])


def test_a_bundle_gives_the_paths_of_its_parts(tmp_path: Path) -> None:
    day, hour = Mix([baseline("fhs"), baseline("ewma")], [0.5, 0.5]), baseline("ewma")
    Dispatch([Route.parse("crypto-24h"), Route.parse("crypto-1h")], [day, hour], name="all").save(tmp_path / "all")
    loaded = load(tmp_path / "all")
    assert loaded.name == "all"
    history = known()
    for prompt, own in ((DAY, day), (OTHER, day), (HOUR, hour)):
        asked = Prompt(**{**vars(prompt), "start_time": NOW})
        np.testing.assert_array_equal(
            loaded.simulate(history, asked, seed=3), own.simulate(history, asked, seed=3), strict=True
        )
