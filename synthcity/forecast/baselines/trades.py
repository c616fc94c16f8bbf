"""Past returns sorted by what the market did: moved, stood still, or came back from a closure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthcity.market.bars import Bars
from synthcity.market.calendar.week import Week


@dataclass(frozen=True, eq=False, kw_only=True)
class Trades:
    """Returns of open hours.

    ``value`` (n,) nonzero log returns over one step, known at unix seconds ``observed`` (n,); ``still`` (m,) whether a
    return over one step, any of those known at ``seen`` (m,), was zero; ``gap_move`` (g,) nonzero log returns across
    closures, ``gap_steps`` (g,) their lengths in steps, ``gap_after`` (g,) how many of ``value`` came before.
    """

    value: NDArray[np.float64]
    observed: NDArray[np.int64]
    still: NDArray[np.bool_]
    seen: NDArray[np.int64]
    gap_move: NDArray[np.float64]
    gap_steps: NDArray[np.int64]
    gap_after: NDArray[np.int64]


def trades_of(bars: Bars, week: Week, last_seconds: int) -> Trades:
    """Sort the returns of the last seconds; bars of closed slots and bad closes do not count.

    A gap is a closure if ``week`` closes its first or its last missing step; any other is an outage and left out.
    """
    first = int(np.searchsorted(bars.time, bars.time[-1] - last_seconds)) if len(bars) else 0
    recent = bars.slice(first, len(bars))
    usable = week.opens(recent.observed) & np.isfinite(recent.close) & (recent.close > 0)
    observed, close = recent.observed[usable], recent.close[usable]
    move, steps = np.diff(np.log(close)), np.diff(observed) // bars.resolution
    near, moved = steps == 1, move != 0.0
    shut = ~(week.opens(observed[:-1] + bars.resolution) & week.opens(observed[1:] - bars.resolution))
    gap = ~near & shut & moved
    return Trades(
        value=move[near & moved],
        observed=observed[1:][near & moved],
        still=~moved[near],
        seen=observed[1:][near],
        gap_move=move[gap],
        gap_steps=steps[gap],
        gap_after=np.cumsum(near & moved)[gap],
    )
