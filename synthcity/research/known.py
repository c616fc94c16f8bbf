"""What an input is given: bars of all assets on one grid and extra series, as plain arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from synthcity.authored.numeric import COLUMNS
from synthcity.authored.panel import grid_of
from synthcity.market.bars import Floats, Market, Times

Published = tuple[Times, Floats]
"""When each value of a series was published, unix seconds (m,) in order, and the values (m,)."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Known:
    """Rows of a grid of equal steps, oldest first.

    Attributes:
        times: when each row was observed, unix seconds (n,).
        step: seconds between rows.
        bars: by asset its ``COLUMNS``, (n,) each, NaN where there was no bar.
        series: by name an extra series. A schedule is one too: its values are when something is due, unix seconds, and
            it is published ahead.
    """

    times: Times
    step: int
    bars: Mapping[str, Mapping[str, Floats]]
    series: Mapping[str, Published] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.times)

    @property
    def assets(self) -> tuple[str, ...]:
        return tuple(self.bars)

    def until(self, row: int) -> Known:
        """What was known when ``row`` was observed: that row and those before it, and what was published by then."""
        part, now = slice(0, row + 1), self.times[row]
        series = {}
        for name, (time, value) in self.series.items():
            count = int(np.searchsorted(time, now, side="right"))
            series[name] = (time[:count], value[:count])
        bars = {asset: {name: values[part] for name, values in own.items()} for asset, own in self.bars.items()}
        return Known(times=self.times[part], step=self.step, bars=bars, series=series)

    def recent(self, row: int, seconds: int) -> Known:
        """What was known when ``row`` was observed of the last ``seconds`` of bars; series from their beginning on."""
        known = self.until(row)
        part = slice(max(0, row + 1 - seconds // self.step), None)
        bars = {asset: {name: values[part] for name, values in own.items()} for asset, own in known.bars.items()}
        return Known(times=known.times[part], step=self.step, bars=bars, series=known.series)

    def before(self, time: int) -> Known:
        """What was known at ``time``, unix seconds.

        Raises:
            ValueError: nothing was known yet.
        """
        row = int(np.searchsorted(self.times, time, side="right")) - 1
        if row < 0:
            raise ValueError(f"nothing was known at {time}")
        return self.until(row)

    def returns(self, asset: str) -> Floats:
        """Log returns (n,) of each row on the one before, NaN where either was not observed."""
        moves: Floats = np.diff(np.log(self.bars[asset]["close"]), prepend=np.nan)
        return moves

    def last(self, name: str) -> Floats:
        """The last value of a series that was published by each row, (n,); NaN before the first."""
        published, values = self.series[name]
        at = np.searchsorted(published, self.times, side="right") - 1
        found = np.append(values, np.nan)[at]  # -1 is before the first
        return np.asarray(found, dtype=np.float64)


def known_of(market: Market, assets: Sequence[str], step: int, series: Mapping[str, Published] | None = None) -> Known:
    """Put the bars of ``assets``, ``step`` seconds each, on one grid; raises ``DataError`` where there are none."""
    grid = grid_of(market, assets, step)
    columns = np.ascontiguousarray(grid.values.transpose(1, 2, 0))
    bars = {asset: dict(zip(COLUMNS, own, strict=True)) for asset, own in zip(assets, columns, strict=True)}
    return Known(times=grid.time, step=step, bars=bars, series=dict(series or {}))
