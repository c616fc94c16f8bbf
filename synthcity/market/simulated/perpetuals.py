"""Perpetuals on gold, oil and equities: they trade round the clock, and news does not wait for the opening.

The price under a perpetual is that of its regular market, which drifts on at a small part of its volatility while that
market is closed (``season``): nights and week-ends are quiet, yet not flat. What comes on top comes while the regular
market rests: news, at any closed minute, and a company's earnings, five minutes after the close of every thirteenth
Tuesday, a day that is known long before. Both are jumps in units of the asset's hourly volatility.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import cache

import numpy as np

from synthcity.durations import DAY, HOUR, MINUTE
from synthcity.market.bars import Bars, Floats, Times
from synthcity.market.calendar.clock import WEEK, new_york
from synthcity.market.calendar.minutes import minutes_of
from synthcity.market.calendar.sessions import Session, is_open
from synthcity.market.simulated.assets import SimulatedAsset
from synthcity.market.simulated.config import SimulatedConfig

Generators = Callable[[str], np.random.Generator]
"""From the name of a stream to a generator at its beginning."""

COMPANIES = ("NVDAX", "TSLAX", "AAPLX", "GOOGLX")
"""Those that report; an index, and one that is not listed, do not."""

_NEWS_A_WEEK, _NEWS_SIZE = 1.5, 1.5
_EARNINGS_SIZE = 6.0  # TSLA moved by 7.2 and 4.4 %, AAPL by 1.6 and 2.1 % in such nights of 2025
_EARNINGS_SECOND = 16 * HOUR + 5 * MINUTE  # New York
_EARNINGS_WEEKS = 13
_TUESDAY = 5  # days from the Thursdays that 1970 began with
_REFERENCE_WEEK = 1_735_516_800 + MINUTE * np.arange(WEEK // MINUTE, dtype=np.int64)


def shown(config: SimulatedConfig, asset: SimulatedAsset, bars: Bars) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which of an asset's bars a venue shows, (n,): those of its session, or all round the clock."""
    return is_open(Session.ALWAYS if config.round_the_clock else asset.group.session, bars.time)


def surprises(
    config: SimulatedConfig, rng: Generators, asset: SimulatedAsset, ends: Times, seconds: int, shape: tuple[int, ...]
) -> Floats:
    """Draw log returns (shape, steps last) of news and earnings, for steps of ``seconds`` that end at ``ends`` (n,)."""
    if not config.round_the_clock or asset.group.session is Session.ALWAYS:
        return np.zeros(shape)
    minutes = minutes_of(ends, seconds)
    num_closed = (~is_open(asset.group.session, minutes.ravel())).reshape(minutes.shape).sum(axis=1)
    count = rng(f"news count/{asset.name}").binomial(num_closed, _news_a_minute(asset.group.session), shape)
    total = _NEWS_SIZE * np.sqrt(count) * rng(f"news size/{asset.name}").standard_normal(shape)
    if asset.name in COMPANIES:
        is_told = earnings(asset, minutes.ravel()).reshape(minutes.shape).any(axis=1)
        total += _EARNINGS_SIZE * is_told * rng(f"earnings/{asset.name}").standard_normal(shape)
    return np.asarray(asset.hourly_sigma * total)


def earnings(asset: SimulatedAsset, minutes: Times) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Whether the company reports in the minutes that open at ``minutes`` (unix seconds, (n,))."""
    local, turn = new_york(minutes), zlib.crc32(asset.name.encode()) % _EARNINGS_WEEKS
    is_day = local // DAY % (7 * _EARNINGS_WEEKS) == 7 * turn + _TUESDAY
    return np.asarray(is_day & (local % DAY // MINUTE * MINUTE == _EARNINGS_SECOND))


@cache
def _news_a_minute(session: Session) -> float:
    return _NEWS_A_WEEK / int((~is_open(session, _REFERENCE_WEEK)).sum())
