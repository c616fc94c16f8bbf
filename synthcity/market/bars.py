"""Bars and the as-of view of them: the only form in which prices travel through synthcity.

One clock: ``Bars.time`` is when a bar OPENS, as venues and the store label it; a price is OBSERVED when its bar
closes, at ``time + resolution``. ``History`` shows nothing observed after its ``now``; ``grid_price(t)`` is the
close observed at exactly ``t``, else NaN. Gaps are absent rows, never invented prices.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthcity.errors import DataError

Floats = NDArray[np.float64]
Times = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Bars:
    """Bars of one asset and resolution, sorted by unique opening time.

    ``time`` holds unix seconds (n,), the prices and ``volume`` are float64 (n,), ``resolution`` is in seconds.
    """

    time: Times
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    resolution: int

    def __len__(self) -> int:
        return len(self.time)

    @property
    def observed(self) -> Times:
        """When each close became known, unix seconds (n,)."""
        return self.time + self.resolution

    def slice(self, first: int, last: int) -> Bars:
        """Bars ``first`` to ``last - 1`` by position, as views."""
        part = slice(first, last)
        return Bars(
            self.time[part],
            self.open[part],
            self.high[part],
            self.low[part],
            self.close[part],
            self.volume[part],
            self.resolution,
        )

    def until(self, now: int) -> Bars:
        """Bars observed at ``now`` or before."""
        return self.slice(0, int(np.searchsorted(self.time, now - self.resolution, side="right")))

    def grid_price(self, times: Times) -> Floats:
        """Close observed at exactly each of ``times`` (unix seconds, any shape), NaN where there is none."""
        times = np.asarray(times, dtype=np.int64)
        if not len(self):
            return np.full(times.shape, np.nan)
        at = np.minimum(np.searchsorted(self.observed, times), len(self) - 1)
        return np.where(self.observed[at] == times, self.close[at], np.nan)


class Market(Mapping[tuple[str, int], Bars]):
    """All bars at hand, by (asset, resolution in seconds). Picklable, read-only."""

    def __init__(self, bars: Mapping[tuple[str, int], Bars]) -> None:
        self._bars = dict(bars)

    def __getitem__(self, key: tuple[str, int]) -> Bars:
        return self._bars[key]

    def __iter__(self):  # type: ignore[no-untyped-def]
        return iter(self._bars)

    def __len__(self) -> int:
        return len(self._bars)

    def as_of(self, now: int) -> History:
        """What was known at ``now``."""
        return History(self, now)

    def until(self, now: int) -> Market:
        """A market whose last bars were observed at ``now`` or before."""
        return Market({key: bars.until(now) for key, bars in self._bars.items()})

    def realised(self, asset: str, grid: Times, resolution: int) -> Floats:
        """Realised prices on ``grid`` from bars of ``resolution``; NaN where nothing was observed."""
        return self[asset, resolution].grid_price(grid)


class History:
    """Read-only view of a market as it was known at ``now`` (unix seconds, UTC)."""

    def __init__(self, market: Market, now: int) -> None:
        self._market = market
        self.now = now

    @classmethod
    def from_series(cls, asset: str, prices: pd.Series) -> History:
        """History of one asset from closes indexed by the UTC time at which each was observed.

        The resolution is the smallest step of the index; open, high and low equal the close.

        Raises:
            ValueError: the index is no sorted, unique UTC time, or a price is not finite and positive.
        """
        index = prices.index
        if not isinstance(index, pd.DatetimeIndex) or index.tz is None:
            raise ValueError("prices must be indexed by UTC time, e.g. pandas.date_range(..., tz='UTC')")
        seconds = index.as_unit("s").asi8
        steps = np.diff(seconds)
        values = prices.to_numpy(dtype=np.float64)
        if len(seconds) < 2 or steps.min() <= 0:
            raise ValueError(f"prices need at least two points at strictly increasing times, got {len(seconds)}")
        if not (np.isfinite(values).all() and (values > 0).all()):
            raise ValueError("prices must be finite and positive")
        resolution = int(steps.min())
        bars = Bars(seconds - resolution, values, values, values, values, np.zeros_like(values), resolution)
        return cls(Market({(asset, resolution): bars}), int(seconds[-1]))

    def bars(self, asset: str, resolution: int) -> Bars:
        """Bars observed so far.

        Raises:
            DataError: there are none at all of this asset and resolution.
        """
        if (asset, resolution) not in self._market:
            have = ", ".join(sorted(f"{a} {r}s" for a, r in self._market)) or "nothing"
            raise DataError(f"no {resolution}-second bars of {asset}; this history holds {have}")
        return self._market[asset, resolution].until(self.now)

    def has(self, asset: str, resolution: int) -> bool:
        """Whether at least one bar of this asset and resolution was observed."""
        return (asset, resolution) in self._market and len(self.bars(asset, resolution)) > 0

    def until(self, now: int) -> History:
        """The same as it was known at ``now`` or before."""
        return History(self._market, min(now, self.now))

    @property
    def keys(self) -> tuple[tuple[str, int], ...]:
        """The (asset, resolution) pairs at hand."""
        return tuple(self._market)

    def last_price(self, asset: str, resolution: int) -> float:
        """Close of the last observed bar.

        Raises:
            DataError: nothing has been observed yet.
        """
        bars = self.bars(asset, resolution)
        if not len(bars):
            raise DataError(f"no price of {asset} observed up to {pd.Timestamp(self.now, unit='s', tz='UTC')}")
        return float(bars.close[-1])
