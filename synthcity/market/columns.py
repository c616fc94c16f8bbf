"""Bars from columns and bars put together: the plain handling of the five numbers of a bar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from synthcity.market.bars import Bars, Floats, Times

COLUMNS = ("open", "high", "low", "close", "volume")


def bars_from_columns(time: Times, columns: Mapping[str, Floats], resolution: int) -> Bars:
    """Bars of opening times (n,) and the five ``COLUMNS`` (n,) each."""
    return Bars(
        time=time,
        open=columns["open"],
        high=columns["high"],
        low=columns["low"],
        close=columns["close"],
        volume=columns["volume"],
        resolution=resolution,
    )


def bars_of_closes(time: Times, close: Floats, resolution: int) -> Bars:
    """Bars of which nothing but the close is known, the rest is NaN: (n,) each."""
    unknown = np.full_like(close, np.nan)
    return bars_from_columns(time, dict.fromkeys(COLUMNS, unknown) | {"close": close}, resolution)


def closes_alone(bars: Bars) -> NDArray[np.bool_]:
    """Of which bars nothing but the close is known, (n,)."""
    others = np.stack([bars.open, bars.high, bars.low, bars.volume])
    return np.asarray(np.isnan(others).all(axis=0) & np.isfinite(bars.close))


def differing(old: Bars, new: Bars) -> dict[str, NDArray[np.bool_]]:
    """By column, which rows (n,) of two lots of as many bars have other values; what both do not know is no change."""
    found = {}
    for name in COLUMNS:
        one, other = getattr(old, name), getattr(new, name)
        found[name] = (one != other) & ~(np.isnan(one) & np.isnan(other))
    return found


def concatenate(parts: Sequence[Bars], resolution: int) -> Bars:
    """All rows of ``parts`` in their order; no row at all for no part."""
    if not parts:
        nothing = np.empty(0)
        return bars_from_columns(np.empty(0, dtype=np.int64), dict.fromkeys(COLUMNS, nothing), resolution)
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in COLUMNS}
    return bars_from_columns(np.concatenate([part.time for part in parts]), columns, resolution)


def union(old: Bars, new: Bars) -> Bars:
    """Rows of both, sorted by time; of two rows of one time that of ``old`` stays."""
    both = concatenate([old, new], old.resolution)
    return take(both, np.unique(both.time, return_index=True)[1])


def take(bars: Bars, rows: NDArray[np.intp] | NDArray[np.bool_]) -> Bars:
    """The chosen rows, by position or by mask."""
    return bars_from_columns(bars.time[rows], {name: getattr(bars, name)[rows] for name in COLUMNS}, bars.resolution)
