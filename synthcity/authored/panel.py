"""Bars of several assets on regular grids, and other series: what authored code may be told of, as far as past."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from synthcity.authored.history import Floats, Times
from synthcity.authored.locked.wire import Message
from synthcity.authored.numeric import COLUMNS
from synthcity.durations import DAY
from synthcity.errors import DataError
from synthcity.market.bars import Bars


@dataclass(frozen=True, eq=False, kw_only=True)
class Grid:
    """``time`` (n,) of observation, regular; ``values`` (n, assets, 5) by ``COLUMNS``, NaN where there is no bar."""

    time: Times
    values: Floats


@dataclass(frozen=True, eq=False, kw_only=True)
class Panel:
    """``grids`` by resolution in seconds, ``resolution`` is the one that is forecast.

    ``series`` by name: when each value was known (m,), sorted, and the values, (m,) or (m, assets).
    """

    assets: tuple[str, ...]
    resolution: int
    grids: Mapping[int, Grid]
    series: Mapping[str, tuple[Times, Floats]]

    @classmethod
    def of(
        cls,
        market: Mapping[tuple[str, int], Bars],
        assets: Sequence[str],
        resolution: int,
        *,
        finer: Sequence[int] = (),
        series: Mapping[str, tuple[Times, Floats]] | None = None,
    ) -> Panel:
        """Take the bars of ``assets`` at ``resolution`` and, beside them, at the ``finer`` ones.

        Raises:
            DataError: there are no bars of any asset, or a series is not sorted, not finite or has another shape.
        """
        grids = {each: grid_of(market, assets, each) for each in (resolution, *finer)}
        for name, (time, value) in (series or {}).items():
            shaped = value.shape in ((len(time),), (len(time), len(assets)))
            if not shaped or (np.diff(time) < 0).any() or not np.isfinite(value).all():
                raise DataError(f"the series {name} must be finite values of (m,) or (m, assets) at sorted times (m,)")
        return cls(assets=tuple(assets), resolution=resolution, grids=grids, series=dict(series or {}))

    def rows(self, days: float) -> dict[str, int]:
        """Return how many rows of each grid ``days`` are."""
        return {str(resolution): max(1, round(days * DAY / resolution)) for resolution in self.grids}

    def between(self, after: int | None, now: int, days: float) -> Message:
        """Return what became known after ``after`` (None: ever) up to ``now``, but no more than ``days`` of it."""
        arrays: dict[str, np.ndarray] = {}
        rows = self.rows(days)
        for resolution, grid in self.grids.items():
            last = int(np.searchsorted(grid.time, now, side="right"))
            first = 0 if after is None else int(np.searchsorted(grid.time, after, side="right"))
            part = slice(max(first, last - rows[str(resolution)]), last)
            arrays[f"bars {resolution} time"], arrays[f"bars {resolution}"] = grid.time[part], grid.values[part]
        for name, (time, value) in self.series.items():
            since = now - round(days * DAY)
            first = int(np.searchsorted(time, since if after is None else max(after, since), side="right"))
            part = slice(first, int(np.searchsorted(time, now, side="right")))
            arrays[f"series {name} time"] = time[part]
            arrays[f"series {name}"] = np.asarray(value[part], dtype=np.float64)
        return Message({"now": now, "series": list(self.series)}, arrays)


def grid_of(market: Mapping[tuple[str, int], Bars], assets: Sequence[str], resolution: int) -> Grid:
    """Put the bars of ``assets`` on one grid, from the first that was observed to the last.

    Raises:
        DataError: there are none of any asset.
    """
    found = {n: market[asset, resolution] for n, asset in enumerate(assets) if (asset, resolution) in market}
    found = {n: bars for n, bars in found.items() if len(bars)}
    if not found:
        raise DataError(f"there are no {resolution}-second bars of {', '.join(assets)}")
    first = min(int(bars.observed[0]) for bars in found.values())
    last = max(int(bars.observed[-1]) for bars in found.values())
    time = np.arange(first, last + 1, resolution, dtype=np.int64)
    values = np.full((len(time), len(assets), len(COLUMNS)), np.nan)
    for n, bars in found.items():
        at = (bars.observed - first) // resolution
        for k, column in enumerate(COLUMNS):
            values[at, n, k] = getattr(bars, column)
    return Grid(time=time, values=values)
