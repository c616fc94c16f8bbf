"""How whole a series is: counted, never mended."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synthcity.market.bars import Bars


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """What there is of one series between its first bar and its last.

    A gap is a run of missing bars: a closed session, an outage, or minutes in which nobody traded.

    Attributes:
        first: opening time of the first bar, unix seconds.
        last: opening time of the last bar, unix seconds.
        num_bars: bars that are there.
        num_gaps: runs of missing bars.
        longest_gap: length of the longest run, seconds; 0 without gaps.
        share: bars there over bars there could be, in (0, 1].
    """

    first: int
    last: int
    num_bars: int
    num_gaps: int
    longest_gap: int
    share: float


def measure(bars: Bars) -> Coverage:
    """Measure bars (at least one)."""
    missing = np.diff(bars.time) - bars.resolution
    possible = (int(bars.time[-1]) - int(bars.time[0])) // bars.resolution + 1
    return Coverage(
        first=int(bars.time[0]),
        last=int(bars.time[-1]),
        num_bars=len(bars),
        num_gaps=int((missing > 0).sum()),
        longest_gap=int(missing.max(initial=0)),
        share=len(bars) / possible,
    )
