"""What authored code is given: prices as they were known at one time. These classes are all that it may read.

This module is loaded in locked children too, so it knows NumPy alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Times = NDArray[np.int64]


@dataclass(frozen=True, eq=False, kw_only=True)
class Bars:
    """Bars of all assets on one regular grid, oldest first; NaN where an asset has none.

    ``time`` (n,) is when each bar was observed, at its close, unix seconds UTC; the others are (n, assets).
    """

    time: Times
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats


@dataclass(frozen=True, eq=False, kw_only=True)
class Series:
    """Another series, such as funding: ``time`` (m,) is when each value was known, ``value`` is (m,) or (m, assets)."""

    time: Times
    value: Floats


@dataclass(frozen=True, eq=False, kw_only=True)
class History:
    """What was known at ``now``, unix seconds UTC, over the days that the file asked for. All arrays are read-only.

    ``bars`` by resolution in seconds, ``resolution`` is the one that is forecast; ``series`` by name. A forecaster is
    told ``expected`` (steps,), too: the standard deviation that the packaged baseline ``har`` expects of the log return
    of each step that is asked for; NaN where it cannot tell.

    Example:
        >>> one = np.ones((3, 1))
        >>> bars = Bars(time=np.arange(3), open=one, high=one, low=one, close=one, volume=one)
        >>> history = History(now=2, assets=("BTC",), resolution=1, bars={1: bars}, series={})
        >>> history.bars[history.resolution].close.shape
        (3, 1)
    """

    now: int
    assets: tuple[str, ...]
    resolution: int
    bars: Mapping[int, Bars]
    series: Mapping[str, Series]
    expected: Floats = field(default_factory=lambda: np.empty(0))


@dataclass(frozen=True, eq=False, kw_only=True)
class Noise:
    """All randomness that a forecaster has: independent draws, (paths, steps), the same for the same seed.

    ``normal`` of the standard normal law, ``uniform`` in [0, 1).
    """

    normal: Floats
    uniform: Floats
