"""Finer bars drawn between coarser ones: where nobody kept minutes, a network learns from how fast prices moved.

A random walk joins the closes of neighbouring bars (a Brownian bridge), its variance half that of the bar's own range
(Parkinson, 1980) and half that of the last half hour's moves. So everything from five minutes on is real, and what lies
below is a walk without bursts: good to train on, nothing to judge by.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from synthcity.market.bars import Bars, Market

COARSE = 300
"""Seconds of the bars between which finer ones are drawn."""

_POINTS = 6  # of the walk within a bar that is drawn
_HALF_LIFE = 6.0  # coarse bars
_PARKINSON = 4.0 * np.log(2.0)
# a walk of six points misses part of the range of one that never rests, a tenth at either end
_UNSEEN = 0.1


def draw_finer(bars: Bars, resolution: int, rng: np.random.Generator) -> Bars:
    """Return bars of ``resolution`` (seconds) drawn within ``bars`` (n,), whose closes they keep: (n * parts,).

    A bar after a gap begins at its own open, every other at the close before it.

    Raises:
        ValueError: the resolution of ``bars`` is no multiple of ``resolution``.

    Example:
        >>> import numpy as np
        >>> import synthcity
        >>> coarse = synthcity.SimulatedMarket().market(["BTC"])["BTC", 300]
        >>> minutes = draw_finer(coarse, 60, np.random.default_rng(0))
        >>> len(minutes) == 5 * len(coarse), np.allclose(minutes.close[4::5], coarse.close)
        (True, True)
    """
    if bars.resolution % resolution or bars.resolution == resolution:
        raise ValueError(f"bars of {resolution} s cannot be drawn within bars of {bars.resolution} s")
    parts = bars.resolution // resolution
    follows = np.diff(bars.time, prepend=np.int64(-bars.resolution)) == bars.resolution
    before = np.where(follows, np.concatenate([bars.open[:1], bars.close[:-1]]), bars.open)
    start = np.log(np.where(np.isfinite(before), before, bars.close))  # closes alone have no open
    move = np.log(bars.close) - start
    size = parts * _POINTS
    step = rng.standard_normal((len(bars), size)) * np.sqrt(_variance(bars, move) / size)[:, None]
    step += (move / size)[:, None] - step.mean(axis=1, keepdims=True)
    walk = start[:, None] + np.pad(step.cumsum(axis=1), ((0, 0), (1, 0)))
    points = sliding_window_view(walk, _POINTS + 1, axis=1)[:, ::_POINTS]  # (n, parts, 7)
    low, high = points.min(axis=2), points.max(axis=2)
    unseen = _UNSEEN * (high - low)
    return Bars(
        (bars.time[:, None] + resolution * np.arange(parts)).ravel(),
        np.exp(points[..., 0]).ravel(),
        np.exp(high + unseen).ravel(),
        np.exp(low - unseen).ravel(),
        np.exp(points[..., -1]).ravel(),
        np.repeat(bars.volume / parts, parts),
        resolution,
    )


def lengthen(market: Market, coarse: Mapping[str, Bars], resolution: int, since: int) -> Market:
    """Return ``market`` with bars of ``resolution`` drawn before each asset's first, from ``since`` (unix s) on.

    The same bars bring the same draws. Assets without ``coarse`` bars that early stay as they are.
    """
    bars = dict(market)
    for asset, source in coarse.items():
        own = bars[asset, resolution]
        known = int(np.searchsorted(source.observed, own.time[0], side="right"))
        early = source.slice(int(np.searchsorted(source.time, since)), known)
        if len(early):
            drawn = draw_finer(early, resolution, np.random.default_rng(zlib.crc32(asset.encode())))
            bars[asset, resolution] = _joined(drawn, own)
    return Market(bars, market.foresight)


def _variance(bars: Bars, move: NDArray[np.float64]) -> NDArray[np.float64]:
    """Variance of the walk within each bar."""
    recent = pd.Series(move**2).ewm(halflife=_HALF_LIFE).mean().to_numpy()
    ranged = np.log(bars.high / bars.low) ** 2 / _PARKINSON
    return np.where(np.isfinite(ranged), (ranged + recent) / 2, recent)


def _joined(first: Bars, then: Bars) -> Bars:
    def both(name: str) -> NDArray[np.float64]:
        return np.concatenate([getattr(first, name), getattr(then, name)])

    time = np.concatenate([first.time, then.time])
    return Bars(time, both("open"), both("high"), both("low"), both("close"), both("volume"), then.resolution)
