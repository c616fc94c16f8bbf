"""The forecaster contract, held over every implementation of this room."""

from __future__ import annotations

import sys
from pathlib import Path
from subprocess import run

import numpy as np
import pandas as pd
import pytest

from synthcity import plugins
from synthcity.errors import DataError
from synthcity.forecast.baselines import BASELINES, baseline
from synthcity.forecast.bundles.bundle import load
from synthcity.forecast.bundles.choose import choose
from synthcity.forecast.conformance import CHECKS, with_other_future
from synthcity.forecast.forecaster import Forecaster
from synthcity.forecast.mixing import Mix
from synthcity.forecast.quantise import Quantised
from synthcity.market.bars import Bars, History, Market
from synthcity.sn50.prompt import Prompt

START = 1_748_736_000
T0 = START + 65 * 86400
PROMPT = Prompt(asset="BTC", start_time=T0, num_simulations=50)

FORECASTERS: dict[str, Forecaster] = {
    **{name: baseline(name) for name in BASELINES},
    **{f"quantised {name}": Quantised(baseline(name)) for name in BASELINES},
    "mix": Mix([baseline("fhs"), baseline("trailing")], [0.7, 0.3]),
    "quantised mix": Quantised(Mix([baseline("ewma"), baseline("trailing")], [0.5, 0.5]), factor=2),
}


@pytest.fixture(params=FORECASTERS.values(), ids=FORECASTERS.keys())
def forecaster(request: pytest.FixtureRequest) -> Forecaster:
    return request.param


def test_satisfies_the_protocol(forecaster: Forecaster) -> None:
    assert isinstance(forecaster, Forecaster)
    assert forecaster.name


def test_returns_positive_prices_from_the_last_one_on(forecaster: Forecaster, market: Market) -> None:
    history = market.as_of(T0)
    paths = forecaster.simulate(history, PROMPT, seed=1)
    assert paths.shape == (50, 289)
    assert paths.dtype == np.float64
    assert np.isfinite(paths).all()
    assert (paths > 0).all()
    np.testing.assert_allclose(paths[:, 0], history.last_price("BTC", 300), rtol=1e-12)


def test_follows_its_seed(forecaster: Forecaster, market: Market) -> None:
    history = market.as_of(T0)
    first, again, other = (forecaster.simulate(history, PROMPT, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_does_not_look_past_now(forecaster: Forecaster, market: Market) -> None:
    others = Market({key: with_other_future(bars, T0) for key, bars in market.items()})
    expected = forecaster.simulate(market.as_of(T0), PROMPT, seed=1)
    np.testing.assert_array_equal(forecaster.simulate(others.as_of(T0), PROMPT, seed=1), expected)


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("name", [*FORECASTERS, *plugins.installed("forecasters")])
def test_keeps_the_contract_that_others_are_held_to(name: str, check: str) -> None:
    CHECKS[check](lambda: FORECASTERS[name] if name in FORECASTERS else choose(name))


def test_refuses_a_history_later_than_the_prompt(forecaster: Forecaster, market: Market) -> None:
    with pytest.raises(ValueError, match="after the prompt's start"):
        forecaster.simulate(market.as_of(T0 + 300), PROMPT, seed=1)


def test_takes_a_series_of_prices(forecaster: Forecaster, market: Market) -> None:
    bars = market["BTC", 300].until(T0)
    series = pd.Series(bars.close, pd.to_datetime(bars.observed, unit="s", utc=True))
    expected = forecaster.simulate(market.as_of(T0), PROMPT, seed=1)
    np.testing.assert_array_equal(forecaster.simulate(series, PROMPT, seed=1), expected)


def test_takes_a_frame_of_bars(forecaster: Forecaster, market: Market) -> None:
    bars = market["BTC", 300].until(T0)
    columns = {name: getattr(bars, name) for name in ("open", "high", "low", "close", "volume")}
    frame = pd.DataFrame(columns, index=pd.to_datetime(bars.time, unit="s", utc=True))
    expected = forecaster.simulate(market.as_of(T0), PROMPT, seed=1)
    np.testing.assert_array_equal(forecaster.simulate(frame, PROMPT, seed=1), expected)
    with pytest.raises(ValueError, match="after the prompt's start"):
        forecaster.simulate(frame.shift(freq="5min"), PROMPT, seed=1)


def test_answers_late_with_a_move_before_t0(forecaster: Forecaster, market: Market) -> None:
    paths = forecaster.simulate(market.as_of(T0 - 150), PROMPT, seed=1)
    assert np.std(paths[:, 0]) > 0
    assert np.std(paths[:, 0]) < np.std(paths[:, 10])


def test_simulates_many_prompts_of_different_size(forecaster: Forecaster, market: Market) -> None:
    prompts = [PROMPT, Prompt(asset="ETH", start_time=T0, num_simulations=20)]
    paths = forecaster.simulate_many(market.as_of(T0), prompts, seed=3)
    again = forecaster.simulate_many(market.as_of(T0), prompts, seed=3)
    assert [one.shape for one in paths] == [(50, 289), (20, 289)]
    np.testing.assert_array_equal(paths[1], again[1])
    assert forecaster.simulate_many(market.as_of(T0), [], seed=3) == []


def test_works_on_a_market_that_closes(forecaster: Forecaster, sessions: Market) -> None:
    noon = T0 + 18 * 3600  # a Tuesday, the market is open
    paths = forecaster.simulate(
        sessions.as_of(noon), Prompt(asset="SP500", start_time=noon, num_simulations=200), seed=1
    )
    step = np.diff(np.log(paths)).std(axis=0)[:12].mean()
    # the walk moves 0.001 a bar; a night counted as one bar would show as sqrt(210) times that
    assert 0.0002 < step < 0.002


def test_works_on_minutes(forecaster: Forecaster, bars_factory) -> None:  # type: ignore[no-untyped-def]
    market = Market({("BTC", 60): bars_factory(days=4, resolution=60)})
    now = START + 4 * 86400
    prompt = Prompt(asset="BTC", start_time=now, time_increment=60, time_length=3600, num_simulations=50)
    assert forecaster.simulate(market.as_of(now), prompt, seed=1).shape == (50, 61)


def test_refuses_bars_it_does_not_have(forecaster: Forecaster, market: Market) -> None:
    with pytest.raises(DataError, match="no 300-second bars of WTIOIL"):
        forecaster.simulate(market.as_of(T0), Prompt(asset="WTIOIL", start_time=T0), seed=1)


def test_survives_a_bundle(forecaster: Forecaster, market: Market, tmp_path: Path) -> None:
    forecaster.save(tmp_path / "bundle")  # type: ignore[attr-defined]
    loaded = load(tmp_path / "bundle")
    assert loaded.name == forecaster.name
    expected = forecaster.simulate(market.as_of(T0), PROMPT, seed=7)
    np.testing.assert_array_equal(loaded.simulate(market.as_of(T0), PROMPT, seed=7), expected)


@pytest.mark.parametrize("name", sorted(set(BASELINES) - {"reference"}))
def test_says_how_much_history_it_needs(name: str, bars_factory) -> None:  # type: ignore[no-untyped-def]
    bars: Bars = bars_factory(days=5 / 288)
    with pytest.raises(DataError, match=f"{name} needs .* returns of BTC .* has 4"):
        baseline(name).simulate(
            History(Market({("BTC", 300): bars}), START + 1500),
            Prompt(asset="BTC", start_time=START + 1500),
            seed=1,
        )


@pytest.mark.parametrize("name", sorted(set(BASELINES) - {"reference"}))
def test_refuses_a_price_that_never_moved(name: str, bars_factory) -> None:  # type: ignore[no-untyped-def]
    market = Market({("BTC", 300): bars_factory(sigma=0.0)})
    with pytest.raises(DataError, match="never moved"):
        baseline(name).simulate(market.as_of(T0), PROMPT, seed=1)


def test_the_room_loads_no_torch() -> None:
    code = (
        "import sys, synthcity.cli.backtest, synthcity.forecast.weights;"
        "sys.exit(any(name in sys.modules for name in ('torch', 'ray', 'optuna')))"
    )
    assert run([sys.executable, "-c", code], check=False).returncode == 0
