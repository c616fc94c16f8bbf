"""From a venue's candles (milliseconds, numbers as strings) to bars."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from synthcity.errors import ConfigError, SourceError, unknown_name
from synthcity.market.bars import Bars
from synthcity.market.check import check_bars
from synthcity.market.columns import COLUMNS, bars_from_columns, take
from synthcity.market.times import format_resolution

INTERVALS = {60: "1m", 300: "5m"}
SETTLED_AFTER_SECONDS = 5  # clocks differ a little, and a venue may amend a candle in its first moments
Clock = Callable[[], float]


def system_clock() -> float:
    """Unix seconds now; looked up at each call so that ``time.time`` can be replaced."""
    return time.time()


def interval(venue: str, resolution: int) -> str:
    """The venue's word for a resolution.

    Raises:
        ConfigError: it is not fetched natively.
    """
    if resolution not in INTERVALS:
        raise ConfigError(f"{venue} bars are fetched at 1m or 5m, not at {format_resolution(resolution)}")
    return INTERVALS[resolution]


def symbol_of(venue: str, symbols: dict[str, str], asset: str) -> str:
    """The venue's name of an asset.

    Raises:
        ConfigError: its official price is not made there.
    """
    if asset not in symbols:
        raise ConfigError(f"{unknown_name('asset', asset, symbols)} (on {venue})")
    return symbols[asset]


def windows(start: int, end: int, resolution: int, num_bars: int) -> Iterator[tuple[int, int]]:
    """First and last opening times of consecutive runs of ``num_bars`` bars that cover ``[start, end)``."""
    first = -(-start // resolution) * resolution
    for begin in range(first, end, num_bars * resolution):
        yield begin, min(begin + num_bars * resolution, -(-end // resolution) * resolution) - resolution


def finished_bars(
    venue: str,
    rows: Iterable[Sequence[Any]],
    resolution: int,
    first: int,
    last: int,
    now: float,
) -> Bars:
    """Bars that open in ``[first, last]`` and were complete at ``now``, checked.

    Args:
        rows: (open time in ms, open, high, low, close, volume), numbers or strings.

    Raises:
        SourceError: the rows are no candles.
    """
    try:
        table = np.array([[float(value) for value in row] for row in rows], dtype=np.float64).reshape(-1, 6)
        opens = np.array([int(row[0]) for row in table], dtype=np.int64)
    except (TypeError, ValueError, IndexError) as error:
        raise SourceError(f"{venue} answers with something else than candles ({error})") from error
    columns = {name: np.ascontiguousarray(table[:, 1 + k]) for k, name in enumerate(COLUMNS)}
    bars = bars_from_columns(opens // 1000, columns, resolution)
    bars = take(bars, np.argsort(bars.time, kind="stable"))  # a candle carries its time, so the order says nothing
    wanted = (bars.time >= first) & (bars.time <= last)
    bars = take(bars, wanted & (bars.observed + SETTLED_AFTER_SECONDS <= now))
    check_bars(bars, f"{venue}'s answer", "the venue must mend it", SourceError)
    return bars
