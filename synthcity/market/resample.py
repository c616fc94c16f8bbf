"""Coarser bars out of finer ones, where every finer one is there."""

from __future__ import annotations

import numpy as np

from synthcity.market.bars import Bars
from synthcity.market.columns import bars_from_columns


def resample(bars: Bars, resolution: int) -> tuple[Bars, int]:
    """Return the whole bars of ``resolution`` (seconds) in ``bars``, and how many were left out as not whole.

    Raises:
        ValueError: ``resolution`` is no multiple of that of ``bars``.
    """
    if resolution % bars.resolution or resolution == bars.resolution:
        raise ValueError(f"bars of {resolution} s cannot be made of bars of {bars.resolution} s")
    size = resolution // bars.resolution
    opens, first, counts = np.unique(bars.time // resolution * resolution, return_index=True, return_counts=True)
    whole = first[counts == size]
    rows = whole[:, None] + np.arange(size)
    columns = {
        "open": bars.open[whole],
        "high": bars.high[rows].max(axis=1, initial=-np.inf),
        "low": bars.low[rows].min(axis=1, initial=np.inf),
        "close": bars.close[rows[:, -1]],
        "volume": bars.volume[rows].sum(axis=1),
    }
    return bars_from_columns(opens[counts == size], columns, resolution), int((counts != size).sum())
