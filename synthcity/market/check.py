"""What a bar must satisfy before it may enter the store or leave it."""

from __future__ import annotations

import numpy as np

from synthcity.errors import DataError
from synthcity.market.bars import Bars
from synthcity.market.times import format_time


def check_bars(bars: Bars, where: str, remedy: str = "mend or drop it", error: type[Exception] = DataError) -> None:
    """Refuse bars that cannot be prices, in one sentence that names the first bad one.

    Prices must be finite and positive, ``low <= open, close <= high``, volume finite and not negative, times
    strictly increasing and multiples of the resolution.

    Args:
        where: what the sentence begins with, e.g. a file's name.
        remedy: what it ends with.
        error: exception to raise.
    """
    if not len(bars):
        return
    prices = np.stack([bars.open, bars.high, bars.low, bars.close])
    step = np.diff(bars.time, prepend=bars.time[0] - 1)
    with np.errstate(invalid="ignore"):
        problems = {
            "has a price that is not finite and positive": ~(np.isfinite(prices) & (prices > 0)).all(axis=0),
            "has its high below its low": bars.high < bars.low,
            "opens or closes outside its low and high": (prices.max(axis=0) > bars.high)
            | (prices.min(axis=0) < bars.low),
            "has a volume that is negative or not finite": ~(np.isfinite(bars.volume) & (bars.volume >= 0)),
            "repeats the time of the bar before": step == 0,
            "is earlier than the bar before": step < 0,
            f"does not open on the {bars.resolution}-second grid": bars.time % bars.resolution != 0,
        }
    first = {text: int(bad.argmax()) for text, bad in problems.items() if bad.any()}
    if first:
        text = min(first, key=lambda name: first[name])
        row = first[text]
        raise error(f"{where}: bar {row + 1} ({format_time(bars.time[row])}) {text}; {remedy}")
