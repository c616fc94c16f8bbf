"""The public names: what they are, that their examples run, and what they say to wrong input."""

from __future__ import annotations

import doctest
import subprocess
import sys
import types
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import synthcity
from synthcity.errors import ConfigError, DataError

SEARCHES = {"run"}  # examples that take longer than a moment


@pytest.mark.parametrize("name", sorted(set(synthcity.__all__) - SEARCHES))
def test_every_public_name_has_an_example_that_runs(name: str) -> None:
    found = getattr(synthcity, name)
    (test,) = doctest.DocTestFinder(recurse=False).find(found, name, globs={found.__name__: found})
    assert test.examples, f"{name} has no example"
    assert doctest.DocTestRunner().run(test).failed == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(SEARCHES))
def test_the_example_of_a_search_runs(name: str, tmp_path: Path) -> None:
    text = getattr(synthcity, name).__doc__.replace("/tmp/runs", str(tmp_path / "runs"))
    parsed = doctest.DocTestParser().get_doctest(text, {}, name, None, None)
    assert parsed.examples
    assert doctest.DocTestRunner().run(parsed).failed == 0


def test_names_are_told_and_mean_one_thing() -> None:
    assert set(synthcity.__all__) <= set(dir(synthcity))
    assert sorted(synthcity._LAZY) == sorted(synthcity.__all__)
    probe = (
        "import synthcity, types\n"
        "assert isinstance(synthcity.search, types.ModuleType)\n"
        "from synthcity import run\n"
        "assert callable(run) and synthcity.run is run\n"
        "assert isinstance(synthcity.search, types.ModuleType) and callable(synthcity.testing.check_block)"
    )
    assert subprocess.run([sys.executable, "-c", probe], check=False).returncode == 0
    assert isinstance(synthcity.market, types.ModuleType)
    with pytest.raises(AttributeError, match="no attribute 'serach'"):
        _ = synthcity.serach


NOON = datetime(2025, 11, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "time",
    [
        1_761_998_400,
        np.int64(1_761_998_400),
        "2025-11-01T12:00",
        "2025-11-01T14:00+02:00",
        NOON,
        NOON.astimezone(timezone(timedelta(hours=-5))),
        pd.Timestamp(NOON),
    ],
    ids=repr,
)
def test_a_prompt_takes_a_time_that_means_one_second(time: object) -> None:
    prompt = synthcity.Prompt(asset="BTC", start_time=time)  # type: ignore[arg-type]
    assert prompt.start_time == 1_761_998_400
    assert type(prompt.start_time) is int


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"asset": "DOGE"}, r"unknown asset 'DOGE'; valid: AAPLX, BTC"),
        ({"asset": "btc"}, r"unknown asset 'btc'"),
        ({"asset": None}, r"unknown asset 'None'"),
        ({"start_time": 1.5}, r"start_time must be a whole number, got 1\.5"),
        ({"start_time": True}, r"start_time must be a whole number, got True"),
        ({"start_time": None}, r"start_time must be a whole number, got None"),
        ({"start_time": -5}, r"start_time must be unix seconds, got -5: times count from 1970"),
        ({"start_time": 1_761_998_400_000}, r"got 1761998400000: these are milliseconds or finer"),
        ({"start_time": datetime(2025, 11, 1)}, r"has no time zone; write e\.g\. datetime\(2025"),
        ({"start_time": NOON + timedelta(microseconds=3)}, r"has a fraction of a second"),
        ({"start_time": "yesterday"}, r"start_time 'yesterday' is no time"),
        ({"start_time": np.datetime64("2025-11-01")}, r"start_time must be a whole number"),
        ({"num_simulations": 10.0}, r"num_simulations must be a whole number, got 10\.0"),
        ({"time_increment": "5m"}, r"time_increment must be a whole number, got '5m'"),
    ],
    ids=repr,
)
def test_a_wrong_prompt_is_one_sentence(values: dict[str, object], text: str) -> None:
    with pytest.raises(ValueError, match=text) as told:
        synthcity.Prompt(**{"asset": "BTC", "start_time": 0, **values})  # type: ignore[arg-type]
    assert "\n" not in str(told.value)


@pytest.fixture(scope="module")
def market() -> synthcity.Market:
    return synthcity.SimulatedMarket().market(["BTC"])


PROMPT = synthcity.Prompt(asset="BTC", start_time="2025-03-01", num_simulations=10)  # type: ignore[arg-type]


def test_forecasters_are_named_as_on_the_command_line(market: synthcity.Market, tmp_path: Path) -> None:
    synthcity.save(synthcity.load("ewma"), tmp_path / "bundle")
    names = ["fhs", str(tmp_path / "bundle")]
    scores = synthcity.backtest(names, market, [PROMPT], "crypto-24h", rules="2026-05").scores
    assert scores["forecaster"].tolist() == ["fhs", "ewma"]
    assert synthcity.simulate(tmp_path / "bundle", market.as_of(PROMPT.start_time), PROMPT, seed=1).shape == (10, 289)


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ((["fsh"], None, [PROMPT], "crypto-24h"), ConfigError, "unknown forecaster 'fsh'; did you mean 'fhs'"),
        (
            ("fhs", None, [PROMPT], "crypto-24h"),
            ValueError,
            "must be a list of forecasters or of their names, not 'fhs'",
        ),
        (([3], None, [PROMPT], "crypto-24h"), ValueError, "3 is no forecaster: it needs a name"),
        (
            (["fhs"], "data/store", [PROMPT], "crypto-24h"),
            ValueError,
            "must be a synthcity.Market, .* not 'data/store'",
        ),
        ((["fhs"], None, PROMPT, "crypto-24h"), ValueError, "prompts must be a list of synthcity.Prompt"),
        ((["fhs"], None, [PROMPT], "crypto-25h"), ValueError, "unknown competition 'crypto-25h'; did you mean"),
    ],
    ids=repr,
)
def test_a_wrong_backtest_is_one_sentence(
    arguments: tuple[object, ...], error: type[Exception], text: str, market: synthcity.Market
) -> None:
    given = [market if one is None else one for one in arguments]
    with pytest.raises(error, match=text):
        synthcity.backtest(*given)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="unknown rules '2026-06'; did you mean"):
        synthcity.backtest(["fhs"], market, [PROMPT], "crypto-24h", rules="2026-06")


def test_wrong_histories_and_forecasters_are_one_sentence(market: synthcity.Market) -> None:
    frame = pd.DataFrame({"close": [1.0]})
    with pytest.raises(ValueError, match="bars of BTC lack the column 'open'"):
        synthcity.simulate("fhs", frame, PROMPT)
    with pytest.raises(TypeError, match=r"a Series of closes of BTC, not a list"):
        synthcity.load("fhs").simulate([1.0, 2.0], PROMPT)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="int is no forecaster"):
        synthcity.simulate(3, market.as_of(PROMPT.start_time), PROMPT)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"prompt must be a synthcity\.Prompt, not str"):
        synthcity.simulate("fhs", market.as_of(PROMPT.start_time), "BTC")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="every must be a"):
        synthcity.prompts("crypto-24h", ["BTC"], "2025-03-01", "2025-03-05", "often")
    with pytest.raises(DataError, match="no prompt of 86400 s fits"):
        synthcity.prompts("crypto-24h", ["BTC"], "2025-03-01", "2025-03-01", "11h")


@pytest.mark.parametrize("price", [np.nan, np.inf, 0.0], ids=str)
def test_what_the_network_does_not_take_has_no_score(price: float) -> None:
    paths = np.full((2, 10, 61), 100.0)
    paths[1, 3, 30] = price
    if price == np.inf or price == 0.0:
        with pytest.raises(ValueError, match="the network takes 1 of 2 answers"):
            synthcity.score(paths, paths[0, 0], "crypto-1h")
    paths[1] = price
    with pytest.raises(ValueError, match="the network takes 1 of 2 answers"):
        synthcity.score(paths, paths[0, 0], "crypto-1h")


def test_nothing_seen_is_no_perfect_score() -> None:
    with pytest.raises(ValueError, match="realised holds no price after the first"):
        synthcity.score(np.ones((10, 61)), [1.0] + [np.nan] * 60, "crypto-1h")
