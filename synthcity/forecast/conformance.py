"""The contract of a forecaster: one suite for what is packaged and what comes from outside.

A check takes a function that makes the forecaster and raises ``conformance.Broken`` with one sentence. All run on a
simulated market of eighty days, so a forecaster must be content with five-minute bars of BTC and ETH.
"""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Callable
from dataclasses import fields
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from synthcity.conformance import require, suite
from synthcity.durations import DAY
from synthcity.errors import SynthcityError
from synthcity.forecast.bundles.bundle import load
from synthcity.forecast.external import save
from synthcity.forecast.forecaster import Forecaster, Paths
from synthcity.market.bars import Bars, Market
from synthcity.market.columns import COLUMNS, bars_from_columns
from synthcity.market.simulated import SimulatedConfig, SimulatedMarket
from synthcity.sn50.prompt import Prompt

Make = Callable[[], Forecaster]
T0 = 1_748_736_000 + 76 * DAY
_INCREMENT = 300


def check_paths_of(paths: Paths, prompt: Prompt) -> None:
    """Hold one ensemble against its prompt."""
    shape = (prompt.num_simulations, prompt.num_steps + 1)
    require(isinstance(paths, np.ndarray) and paths.dtype == np.float64, "paths must be a float64 array")
    require(paths.shape == shape, f"paths of {prompt.asset} have the shape {paths.shape}, asked for {shape}")
    require(np.isfinite(paths).all() and (paths > 0).all(), "a price is not finite and positive")


def has_a_name_and_its_methods(make: Make) -> None:
    """It is a ``Forecaster`` with a name for tables."""
    forecaster = make()
    require(isinstance(forecaster, Forecaster), "it lacks name, simulate or simulate_many")
    require(isinstance(forecaster.name, str) and forecaster.name, f"its name is {forecaster.name!r}")


def paths_are_prices_of_the_asked_shape(make: Make) -> None:
    """Prices (num_simulations, num_steps + 1), whatever is asked for."""
    forecaster, history = make(), _market().as_of(T0)
    for prompt in (_prompt(), _prompt(num_simulations=3), _prompt(time_length=3600)):
        check_paths_of(forecaster.simulate(history, prompt, seed=1), prompt)


def paths_start_at_the_last_price(make: Make) -> None:
    """Column 0 is the prompt's start, where the price is known."""
    history = _market().as_of(T0)
    first, last = make().simulate(history, _prompt(), seed=1)[:, 0], history.last_price("BTC", _INCREMENT)
    require(np.allclose(first, last, rtol=1e-6), f"paths start at {first[0]:g}, the last price is {last:g}")


def the_seed_decides(make: Make) -> None:
    """The same seed gives the same paths, in another instance and after other calls too."""
    forecaster, history = make(), _market().as_of(T0)
    first = forecaster.simulate(history, _prompt(), seed=1)
    forecaster.simulate(history, _prompt(), seed=2)
    for one in (forecaster, make()):
        require(np.array_equal(one.simulate(history, _prompt(), seed=1), first), "the same seed gives other paths")


def the_future_changes_nothing(make: Make) -> None:
    """Other prices after ``now`` do not change a path."""
    other = Market({key: with_other_future(bars, T0) for key, bars in _market().items()})
    first, second = (make().simulate(market.as_of(T0), _prompt(), seed=1) for market in (_market(), other))
    require(np.array_equal(first, second), "paths change with prices later than history.now")


def the_history_stays_as_it_is(make: Make) -> None:
    """Bars are read, never written."""
    market = _market()
    kept = copy.deepcopy(market["BTC", _INCREMENT])
    make().simulate(market.as_of(T0), _prompt(), seed=1)
    bars = market["BTC", _INCREMENT]
    for column in fields(Bars):
        same = np.array_equal(getattr(kept, column.name), getattr(bars, column.name))
        require(same, f"it changed {column.name} of the history")


def a_series_stands_for_a_history(make: Make) -> None:
    """A pandas Series of the prompt's asset, indexed by the time of observation, gives paths too."""
    bars = _market()["BTC", _INCREMENT].until(T0)
    series = pd.Series(bars.close, pd.to_datetime(bars.observed, unit="s", utc=True))
    check_paths_of(make().simulate(series, _prompt(), seed=1), _prompt())


def many_prompts_give_as_many_ensembles(make: Make) -> None:
    """``simulate_many`` keeps order and size of the prompts, and follows its seed; no prompt is no error."""
    prompts = [_prompt(), _prompt(asset="ETH", num_simulations=7)]
    first, again = (make().simulate_many(_market().as_of(T0), prompts, seed=3) for _ in range(2))
    require(len(first) == 2, f"two prompts gave {len(first)} ensembles")
    for one, other, prompt in zip(first, again, prompts, strict=True):
        check_paths_of(one, prompt)
        require(np.array_equal(one, other), "the same seed gives other paths")
    require(len(make().simulate_many(_market().as_of(T0), [], seed=3)) == 0, "no prompt gave an ensemble")


def too_little_history_is_refused_or_answered(make: Make) -> None:
    """With three bars it gives valid paths, or an error of synthcity's that says what it needs."""
    start = int(_market()["BTC", _INCREMENT].observed[2])
    prompt = _prompt(start_time=start)
    try:
        paths = make().simulate(_market().as_of(start), prompt, seed=1)
    except SynthcityError:
        return
    check_paths_of(paths, prompt)


def a_bundle_gives_the_same_paths(make: Make) -> None:
    """Saved and loaded, it is the same forecaster."""
    forecaster, history = make(), _market().as_of(T0)
    with tempfile.TemporaryDirectory() as folder:
        save(forecaster, Path(folder, "bundle"))
        loaded = load(Path(folder, "bundle"), trust_code=True)
    require(loaded.name == forecaster.name, f"loaded from its bundle it is called {loaded.name}")
    first, second = (one.simulate(history, _prompt(), seed=7) for one in (forecaster, loaded))
    require(np.array_equal(first, second), "loaded from its bundle it gives other paths")


CHECKS = suite(
    has_a_name_and_its_methods,
    paths_are_prices_of_the_asked_shape,
    paths_start_at_the_last_price,
    the_seed_decides,
    the_future_changes_nothing,
    the_history_stays_as_it_is,
    a_series_stands_for_a_history,
    many_prompts_give_as_many_ensembles,
    too_little_history_is_refused_or_answered,
    a_bundle_gives_the_same_paths,
)


def _market() -> Market:
    """A fresh one, since a forecaster may write into it."""
    return copy.deepcopy(_simulated())


@cache
def _simulated() -> Market:
    simulated = SimulatedMarket(SimulatedConfig(start="2025-06-01", days=80, seed=5))
    return simulated.market(["BTC", "ETH"], resolution=_INCREMENT)


def _prompt(asset: str = "BTC", num_simulations: int = 50, start_time: int = T0, time_length: int = DAY) -> Prompt:
    return Prompt(
        asset=asset,
        start_time=start_time,
        time_increment=_INCREMENT,
        time_length=time_length,
        num_simulations=num_simulations,
    )


def with_other_future(bars: Bars, now: int) -> Bars:
    """The same bars with other prices in all that are observed after ``now``."""
    factor = np.where(bars.observed > now, np.linspace(1.5, 3.0, len(bars)), 1.0)
    return bars_from_columns(bars.time, {name: getattr(bars, name) * factor for name in COLUMNS}, bars.resolution)
