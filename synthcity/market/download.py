"""Bring a venue's bars into the store, going on where an earlier download stopped."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from synthcity.durations import DAY
from synthcity.market.bars import Times
from synthcity.market.check import Tell
from synthcity.market.sources.source import VenueSource
from synthcity.market.store import PriceStore

Span = tuple[int, int]
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Download:
    """What a download did.

    Attributes:
        num_added: bars that are new in the store.
        out_of_reach: span that was asked for but that the venue no longer has, or None.
    """

    num_added: int
    out_of_reach: Span | None


def download(
    store: PriceStore,
    source: VenueSource,
    asset: str,
    resolution: int,
    start: int,
    end: int,
    progress: Callable[[int], None] = lambda seconds: None,
    tell: Tell = _log.warning,
) -> Download:
    """Fetch what the store lacks of ``[start, end)`` and store it piece by piece.

    Args:
        progress: called with the seconds of the span that are dealt with since the last call.
        tell: called with a sentence about bars that were left out or stayed as they were.

    Raises:
        ConfigError, DataError, SourceError: as the source and the store; what came before is stored.
    """
    reach = source.earliest(resolution)
    spans = missing_spans(store, source.venue, asset, resolution, max(start, reach), end)
    num_added, done = 0, start
    for first, last in spans:
        progress(first - done)
        done = first
        for bars in source.fetch(asset, resolution, first, last, tell):
            num_added += store.append(asset, source.venue, resolution, bars, tell)
            progress(int(bars.observed[-1]) - done)
            done = int(bars.observed[-1])
    progress(end - done)
    gone = (start, min(reach, end)) if start < reach else None
    return Download(num_added=num_added, out_of_reach=gone)


def missing_spans(store: PriceStore, venue: str, asset: str, resolution: int, start: int, end: int) -> list[Span]:
    """Half-open spans within ``[start, end)`` that hold all bars which are not stored.

    One span a day, from its first missing bar to its last; spans that touch are joined. A
    venue that has no bar for some minutes is asked for them again: it may have been a kill that lost them.
    """
    return spans_without(store.times(asset, venue, resolution, start, end), resolution, start, end)


def spans_without(known: Times, resolution: int, start: int, end: int) -> list[Span]:
    """As ``missing_spans``, for bars that open at the sorted unix seconds ``known``."""
    grid = np.arange(-(-start // resolution) * resolution, end, resolution, dtype=np.int64)
    missing = np.setdiff1d(grid, known, assume_unique=True)
    edges = np.flatnonzero(np.diff(missing // DAY)) + 1
    spans: list[Span] = []
    for day in np.split(missing, edges) if len(missing) else ():
        begin, stop = int(day[0]), int(day[-1]) + resolution
        if spans and spans[-1][1] == begin:
            spans[-1] = (spans[-1][0], stop)
        else:
            spans.append((begin, stop))
    return spans
