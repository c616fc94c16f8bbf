"""The contract of features, as a suite; a forecaster keeps that of all forecasters (``forecast/conformance.py``).

A check takes the source of a feature and raises ``conformance.Broken`` or ``Misbehaved`` with one sentence. All run on
twelve days of a simulated market of three assets with a gap, five-minute bars and those of one minute, and a series
``funding`` of eight hours.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from synthcity.authored.feature import Feature, FeatureSource, open_feature
from synthcity.authored.forecaster import AuthoredForecaster, ForecasterSource
from synthcity.authored.history import Floats, Times
from synthcity.authored.panel import Grid, Panel
from synthcity.conformance import broken, require, suite
from synthcity.forecast import conformance as forecasters
from synthcity.market.bars import Bars, Market
from synthcity.market.simulated import SimulatedConfig, SimulatedMarket

_ASSETS = ("BTC", "ETH", "SOL")
_DAYS = 12
_RESOLUTION = 300
_STEPS = 36
_GAP = slice(1500, 1620)  # rows without a bar of the second asset
_MOST_SECONDS = 0.05  # of a CPU a call


def values_are_of_the_asked_shape_and_finite(source: FeatureSource) -> None:
    """After a gap, within one and with one bar of history too."""
    times = _times()
    with open_feature(source, panel()) as feature:
        asked = np.concatenate([panel().grids[_RESOLUTION].time[[0, 1, 20]], times])
        for values in _answers(feature, asked):
            require(np.abs(values).max() < 1e6, f"a value is {np.abs(values).max():.3g}; keep them below a million")


def columns_tell_times_or_assets_apart(source: FeatureSource) -> None:
    """A column that never changes tells nothing."""
    with open_feature(source, panel()) as feature:
        functions = [names for names in (source.past, source.future) if names]
        for names, values in zip(functions, _answers(feature, _times()), strict=True):
            for n, name in enumerate(names):
                require(np.ptp(values[..., n]) > 0, f"the column {name} has the same value everywhere")


def later_prices_change_nothing(source: FeatureSource) -> None:
    """Neither other ones nor none at all."""
    times = _times()
    middle = int(times[len(times) // 2])
    known = times[times <= middle]
    found = []
    for each in (panel(), _with_other_future(middle), panel_until(middle)):
        with open_feature(source, each) as feature:
            found.append(_answers(feature, known))
    for first, second, third in zip(*found, strict=True):
        require(np.array_equal(first, second) and np.array_equal(first, third), "a value changes with later prices")


def the_order_of_times_changes_nothing(source: FeatureSource) -> None:
    """Nor whether a time is asked for alone."""
    times = _times()
    with open_feature(source, panel()) as feature:
        forth = _answers(feature, times)
        back = _answers(feature, times[::-1])
        alone = _answers(feature, times[3:4])
    for one, other, single in zip(forth, back, alone, strict=True):
        for first, second in ((one, other[::-1]), (one[3], single[0])):
            require(np.allclose(first, second, rtol=1e-9, atol=1e-9), "a value hangs on what was asked before")


def a_call_is_quick(source: FeatureSource) -> None:
    """Thousands of them are made for one test of a feature."""
    times = _times()[:4]
    with open_feature(source, panel()) as feature:
        for n in range(len(times)):
            _answers(feature, times[n : n + 1])
    spent = feature.cpu_seconds / len(times)
    require(spent < _MOST_SECONDS, f"a call takes {spent:.2f} s of a CPU, more than {_MOST_SECONDS:g} s")


CHECKS: dict[str, Callable[..., None]] = suite(
    values_are_of_the_asked_shape_and_finite,
    columns_tell_times_or_assets_apart,
    later_prices_change_nothing,
    the_order_of_times_changes_nothing,
    a_call_is_quick,
)


def check_feature(source: FeatureSource) -> dict[str, str]:
    """Return what is broken, by the check's name; empty if all is well.

    Raises:
        NotIsolated: no process can be locked here.
    """
    return broken(CHECKS, source)


def check_forecaster(source: ForecasterSource) -> dict[str, str]:
    """Return what is broken, by the check's name; empty if all is well.

    Raises:
        NotIsolated: no process can be locked here.
    """
    return broken(forecasters.CHECKS, lambda: AuthoredForecaster(source))


def _answers(feature: Feature, times: Times) -> list[Floats]:
    """What each function of the file says."""
    ends = times[:, None] + _RESOLUTION * np.arange(1, _STEPS + 1)
    found = [feature.past(times)] if feature.source.past else []
    return [*found, feature.future(times, ends)] if feature.source.future else found


def _times() -> Times:
    """Around the gap, and some minutes and days apart."""
    grid = panel().grids[_RESOLUTION].time
    return np.concatenate([grid[[1510, 1590, 1621]], grid[1700::400]])


@cache
def panel() -> Panel:
    """The panel of all checks."""
    simulated = SimulatedMarket(SimulatedConfig(start="2025-06-01", days=_DAYS, seed=11))
    bars = {**simulated.market(_ASSETS, resolution=_RESOLUTION), **simulated.market(_ASSETS, resolution=60)}
    bars["ETH", _RESOLUTION] = _without(bars["ETH", _RESOLUTION], _GAP)
    time = np.arange(int(bars["BTC", _RESOLUTION].time[0]), int(bars["BTC", _RESOLUTION].time[-1]), 8 * 3600)
    funding = 1e-4 * np.random.default_rng(5).standard_normal((len(time), len(_ASSETS)))
    return Panel.of(Market(bars), _ASSETS, _RESOLUTION, finer=[60], series={"funding": (time, funding)})


def panel_until(now: int) -> Panel:
    """The same without anything later."""
    whole = panel()
    grids = {key: Grid(time=g.time[g.time <= now], values=g.values[g.time <= now]) for key, g in whole.grids.items()}
    series = {name: (time[time <= now], value[time <= now]) for name, (time, value) in whole.series.items()}
    return Panel(assets=whole.assets, resolution=whole.resolution, grids=grids, series=series)


def _with_other_future(now: int) -> Panel:
    whole = panel()
    grids = {
        key: Grid(time=grid.time, values=np.where((grid.time > now)[:, None, None], 7.0, grid.values))
        for key, grid in whole.grids.items()
    }
    series = {name: (time, np.where((time > now)[:, None], 7.0, value)) for name, (time, value) in whole.series.items()}
    return Panel(assets=whole.assets, resolution=whole.resolution, grids=grids, series=series)


def _without(bars: Bars, rows: slice) -> Bars:
    first, last = bars.slice(0, rows.start), bars.slice(rows.stop, len(bars))
    columns = {
        name: np.concatenate([getattr(first, name), getattr(last, name)])
        for name in ("time", "open", "high", "low", "close", "volume")
    }
    return Bars(**columns, resolution=bars.resolution)
