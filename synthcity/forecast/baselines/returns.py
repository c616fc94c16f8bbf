"""Log returns of past bars, with gaps left out rather than bridged."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from synthcity.errors import DataError
from synthcity.market.bars import Bars

CLOSED_SECONDS = 3600


@dataclass(frozen=True, kw_only=True)
class Returns:
    """Log returns ``value`` (n,) over one bar each, known at unix seconds ``observed`` (n,).

    ``closed_move`` (m,) and ``closed_steps`` (m,) hold the log returns across closures of the market and their
    lengths in bars; a gap below an hour counts as an outage and appears nowhere.
    """

    value: NDArray[np.float64]
    observed: NDArray[np.int64]
    closed_move: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    closed_steps: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))


def log_returns(bars: Bars, *, last_seconds: int | None = None, last_bars: int | None = None) -> Returns:
    """Return the log returns between neighbouring closes of the last seconds or bars.

    Only closes exactly one resolution apart make a return: a night or an outage is no flat return and no
    large one either. A close that is not finite and positive counts as absent.
    """
    first = 0
    if last_seconds is not None and len(bars):
        first = int(np.searchsorted(bars.time, bars.time[-1] - last_seconds))
    if last_bars is not None:
        first = max(first, len(bars) - last_bars - 1)
    time, close = bars.time[first:], bars.close[first:]
    usable = np.isfinite(close) & (close > 0)
    if not usable.all():
        time, close = time[usable], close[usable]
    move = np.diff(np.log(close))
    steps = np.diff(time) // bars.resolution
    near, closed = steps == 1, steps * bars.resolution > CLOSED_SECONDS
    observed = time[1:] + bars.resolution
    return Returns(value=move[near], observed=observed[near], closed_move=move[closed], closed_steps=steps[closed])


def require(returns: Returns, minimum: int, asset: str, forecaster: str) -> None:
    """Refuse to fit on fewer than ``minimum`` returns or on a price that never moved.

    Raises:
        DataError: naming the asset, what is there and what is needed.
    """
    if len(returns.value) < minimum:
        raise DataError(
            f"{forecaster} needs {minimum} returns of {asset} between neighbouring bars, the history has "
            f"{len(returns.value)}; load more history or start later"
        )
    if not returns.value.any():
        raise DataError(f"the price of {asset} never moved in {len(returns.value)} bars; {forecaster} cannot fit")
