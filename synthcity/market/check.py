"""What a bar must satisfy before it may enter the store or leave it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from synthcity.errors import DataError
from synthcity.market.bars import Bars
from synthcity.market.columns import COLUMNS, closes_alone, take
from synthcity.market.times import format_time

_FEW = 10  # of so few bars, all may be bad and the rest of the source sound
Flags = NDArray[np.bool_]
Tell = Callable[[str], None]
"""Takes one sentence about what was left out or stayed as it was."""


def check_bars(bars: Bars, where: str, remedy: str = "mend or drop it") -> None:
    """Refuse bars that cannot be prices, in one sentence that names the first bad one.

    Prices must be finite and positive, ``low <= open, close <= high``, volume finite and not negative, times
    strictly increasing and multiples of the resolution. Of a bar that is a close alone (``columns.closes_alone``) the
    close is held to that.

    Args:
        where: what the sentence begins with, e.g. a file's name.
        remedy: what it ends with.

    Raises:
        DataError: a bar cannot be.
    """
    if not len(bars):
        return
    step = np.diff(bars.time, prepend=bars.time[0] - 1)
    order = {"repeats the time of the bar before": step == 0, "is earlier than the bar before": step < 0}
    if (bad := _first_bad(_impossible(bars, closes_alone(bars) & (bars.close > 0)) | order)) is not None:
        row, text = bad
        raise DataError(f"{where}: bar {row + 1} ({format_time(bars.time[row])}) {text}; {remedy}")


def sift_bars(bars: Bars, where: str, tell: Tell, error: type[Exception] = DataError) -> Bars:
    """Put bars in order of time, each once, without those that cannot be; ``tell`` what was left out.

    A bar that comes twice with the same values is kept once; with different ones nobody knows which is true, and it is
    left out.

    Raises:
        error: most of the bars cannot be, so the source is not what it seems.
    """
    bars = take(bars, np.argsort(bars.time, kind="stable"))  # a bar carries its time, so the order says nothing
    same = np.ones(len(bars), dtype=bool)
    same[:1] = False
    for name in ("time", *COLUMNS):
        column = getattr(bars, name)
        same[1:] &= (column[1:] == column[:-1]) | (np.isnan(column[1:]) & np.isnan(column[:-1]))
    bars = take(bars, ~same)
    repeated = np.zeros(len(bars), dtype=bool)
    repeated[1:] = np.diff(bars.time) == 0
    repeated[:-1] |= repeated[1:]
    problems = _impossible(bars) | {"comes twice with different values": repeated}
    bad = np.logical_or.reduce(list(problems.values()))
    if (first := _first_bad(problems)) is None:
        return bars
    row, text = first
    example = f"{format_time(bars.time[row])} {text}"
    if len(bars) >= _FEW and bad.mean() > 0.5:
        raise error(f"{where}: {bad.sum():,} of {len(bars):,} bars cannot be, e.g. that of {example}")
    tell(f"{where}: {bad.sum():,} of {len(bars):,} bars left out: that of {example}")
    return take(bars, ~bad)


def _impossible(bars: Bars, spared: Flags | bool = False) -> dict[str, Flags]:
    """Which bars cannot be, by what is wrong with them; those ``spared`` (n,) may lack all but their close."""
    prices = np.stack([bars.open, bars.high, bars.low, bars.close])
    with np.errstate(invalid="ignore"):
        return {
            "has a price that is not finite and positive": ~((np.isfinite(prices) & (prices > 0)).all(axis=0) | spared),
            "has its high below its low": bars.high < bars.low,
            "opens or closes outside its low and high": (prices.max(axis=0) > bars.high)
            | (prices.min(axis=0) < bars.low),
            "has a volume that is negative or not finite": ~((np.isfinite(bars.volume) & (bars.volume >= 0)) | spared),
            f"does not open on the {bars.resolution}-second grid": bars.time % bars.resolution != 0,
        }


def _first_bad(problems: dict[str, Flags]) -> tuple[int, str] | None:
    """The first bad row and what is wrong with it."""
    first = {text: int(bad.argmax()) for text, bad in problems.items() if bad.any()}
    if not first:
        return None
    text = min(first, key=lambda name: first[name])
    return first[text], text
