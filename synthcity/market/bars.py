"""Bars and the as-of view of them: the only form in which prices travel through synthcity.

One clock: ``Bars.time`` is when a bar OPENS, as venues and the store label it; a price is OBSERVED when its bar
closes, at ``time + resolution``. ``History`` shows nothing observed after its ``now``; ``grid_price(t)`` is the
close observed at exactly ``t``, else NaN. Gaps are absent rows, never invented prices.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

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


class Foresight(Protocol):
    """What is known of times to come; ``calendar.events.outlook.Outlook`` is one."""

    def effect(self, asset: str, now: int) -> Callable[[Times], Floats]:
        """Multipliers of the volatility of minutes, see ``calendar.minutes.Effect``, as they were known at ``now``."""

    def ahead(self, asset: str, seconds: int) -> Callable[[Times], Floats]:
        """The same as far as they were known ``seconds`` before, whatever the minute."""


class Market(Mapping[tuple[str, int], Bars]):
    """All bars at hand, by (asset, resolution in seconds). Picklable, read-only.

    Example:
        >>> import synthcity
        >>> market = synthcity.SimulatedMarket().market(["BTC", "ETH"])
        >>> sorted(market)
        [('BTC', 300), ('ETH', 300)]
        >>> market.as_of(1_740_787_200).now
        1740787200
    """

    def __init__(self, bars: Mapping[tuple[str, int], Bars], foresight: Foresight | None = None) -> None:
        """Take bars, and what is known to come; without that nothing is."""
        self._bars = dict(bars)
        self.foresight = foresight

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
        return Market({key: bars.until(now) for key, bars in self._bars.items()}, self.foresight)

    def realised(self, asset: str, grid: Times, resolution: int) -> Floats:
        """Realised prices on ``grid`` from bars of ``resolution``; NaN where nothing was observed."""
        return self[asset, resolution].grid_price(grid)


class History:
    """Read-only view of a market as it was known at ``now`` (unix seconds, UTC).

    Example:
        >>> import pandas as pd
        >>> import synthcity
        >>> times = pd.date_range("2025-11-01", periods=3, freq="5min", tz="UTC")
        >>> history = synthcity.History.from_series("BTC", pd.Series([100.0, 101.0, 102.0], times))
        >>> history.last_price("BTC", 300), history.until(history.now - 300).last_price("BTC", 300)
        (102.0, 101.0)
    """

    def __init__(self, market: Market, now: int) -> None:
        self._market = market
        self.now = now

    @classmethod
    def of(cls, asset: str, prices: Prices) -> History:
        """Return a history of ``asset`` from what a notebook has at hand; pass a History through.

        Raises:
            ValueError: as ``from_series`` and ``from_bars``.
            TypeError: it is none of these.
        """
        if isinstance(prices, History):
            return prices
        if isinstance(prices, pd.Series):
            return cls.from_series(asset, prices)
        if isinstance(prices, pd.DataFrame):
            return cls.from_bars(asset, prices)
        kind = type(prices).__name__
        raise TypeError(f"prices are a History, a DataFrame of bars or a Series of closes of {asset}, not a {kind}")

    @classmethod
    def from_series(cls, asset: str, prices: pd.Series) -> History:
        """History of one asset from closes indexed by the UTC time at which each was OBSERVED.

        The resolution is the smallest step of the index. Nothing but closes is known: open, high, low and volume are
        NaN, so what reads them refuses this history instead of taking zero ranges for real.

        Raises:
            ValueError: the index is no sorted, unique UTC time, or a price is not finite and positive.
        """
        seconds, resolution = _regular_index(prices.index)
        close = prices.to_numpy(dtype=np.float64)
        _require_prices({"close": close})
        unknown = np.full_like(close, np.nan)
        bars = Bars(seconds - resolution, unknown, unknown, unknown, close, unknown, resolution)
        return cls(Market({(asset, resolution): bars}), int(seconds[-1]))

    @classmethod
    def from_bars(cls, asset: str, frame: pd.DataFrame) -> History:
        """History of one asset from bars indexed by the UTC time at which each OPENED, as venues label them.

        Args:
            frame: columns ``open``, ``high``, ``low``, ``close`` and ``volume``, others are left alone. The resolution
                is the smallest step of the index; the last close counts as observed one resolution after its label.

        Raises:
            ValueError: a column is missing, the index is no sorted, unique UTC time, or a bar cannot be.
        """
        needed = ("open", "high", "low", "close", "volume")
        if missing := [name for name in needed if name not in frame.columns]:
            raise ValueError(
                f"bars of {asset} lack the column {missing[0]!r}; they need {', '.join(needed)}, "
                f"and have {', '.join(map(str, frame.columns))}"
            )
        seconds, resolution = _regular_index(frame.index)
        columns = {name: frame[name].to_numpy(dtype=np.float64) for name in needed}
        _require_prices({name: columns[name] for name in needed[:4]})
        inside = np.stack([columns["open"], columns["close"]])
        wrong = (inside.max(axis=0) > columns["high"]) | (inside.min(axis=0) < columns["low"])
        if wrong.any():
            at = frame.index[int(wrong.argmax())]
            raise ValueError(f"the bar of {asset} at {at} opens or closes outside its low and high")
        bars = Bars(time=seconds, resolution=resolution, **columns)
        return cls(Market({(asset, resolution): bars}), int(seconds[-1]) + resolution)

    def bars(self, asset: str, resolution: int) -> Bars:
        """Bars observed so far.

        Raises:
            DataError: there are none at all of this asset and resolution.
        """
        if (asset, resolution) not in self._market:
            have = ", ".join(sorted(f"{a} {r}s" for a, r in self._market)) or "nothing"
            raise DataError(f"no {resolution}-second bars of {asset}; this history holds {have}: give it those bars")
        return self._market[asset, resolution].until(self.now)

    def effect(self, asset: str) -> Callable[[Times], Floats] | None:
        """What is known of times to come, see ``Foresight``; None where the market has no calendar."""
        return None if self._market.foresight is None else self._market.foresight.effect(asset, self.now)

    def ahead(self, asset: str, seconds: int) -> Callable[[Times], Floats] | None:
        """What was known of each minute ``seconds`` before it, see ``Foresight``; None where there is no calendar."""
        return None if self._market.foresight is None else self._market.foresight.ahead(asset, seconds)

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


Prices = History | pd.Series | pd.DataFrame
"""What a forecaster may be asked with: a History, bars by opening time, or closes by the time of observation."""


def _regular_index(index: pd.Index) -> tuple[Times, int]:
    """Unix seconds (n,) of a frame's index and its smallest step."""
    if not isinstance(index, pd.DatetimeIndex) or index.tz is None:
        raise ValueError("prices must be indexed by UTC time, e.g. pandas.date_range(..., tz='UTC')")
    seconds = index.as_unit("s").asi8
    steps = np.diff(seconds)
    if len(seconds) < 2 or steps.min() <= 0:
        raise ValueError(f"prices need at least two points at strictly increasing times, got {len(seconds)}")
    return seconds, int(steps.min())


def _require_prices(columns: Mapping[str, Floats]) -> None:
    for name, values in columns.items():
        if not (np.isfinite(values).all() and (values > 0).all()):
            raise ValueError(f"prices must be finite and positive, {name} is not; drop such rows, a gap is no error")
