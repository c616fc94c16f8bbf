"""One series kept warm: in memory for whoever forecasts, in the store for everything after.

The newest bars are asked for first, the past piece by piece behind them, so that a forecast need not wait for it.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np

from synthcity.errors import DataError
from synthcity.market.bars import Bars
from synthcity.market.columns import concatenate, differing, take, union
from synthcity.market.download import Span, spans_without
from synthcity.market.sources.source import VenueSource
from synthcity.market.store import PriceStore, Series
from synthcity.market.times import format_time
from synthcity.market.venues.candles import SETTLED_AFTER_SECONDS

RECHECK_SECONDS = 3600  # a venue may bring a missing minute later; after this it is left to a back-fill
_PIECE_BARS = 1000  # what a venue hands out at a time
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class SeriesHealth:
    """How one series stands.

    Attributes:
        first: when its first bar in memory was observed, unix seconds; None without any.
        last: when its last bar was observed.
        num_bars: bars in memory.
        is_whole: whether the venue was asked for all of its past that is wanted.
        num_amended: bars that the venue sent again with other values; the first ones are kept.
        num_left_out: answers of the venue of which bars were left out, since they cannot be.
        num_unstored: bars that the disk refused; they are kept in memory and tried again.
        problem: what is wrong with the venue or the disk, a sentence each; None if nothing is wrong now.
    """

    series: Series
    first: int | None
    last: int | None
    num_bars: int
    is_whole: bool
    num_amended: int
    num_left_out: int
    num_unstored: int
    problem: str | None


class LiveSeries:
    """Bars of one asset and resolution. One thread refreshes, any thread reads ``bars``."""

    def __init__(
        self, store: PriceStore, source: VenueSource, asset: str, resolution: int, history_seconds: int
    ) -> None:
        self.series = Series(asset=asset, venue=source.venue, resolution=resolution)
        self.bars = concatenate([], resolution)
        self._store, self._source, self._history = store, source, history_seconds
        self._problems: dict[str, str] = {}
        self._unstored = self.bars
        self._amended: set[int] = set()
        self._left_out: set[str] = set()
        self._gaps: list[Span] | None = None  # what a back-fill still has to ask for, the newest last

    def load(self, now: float) -> None:
        """Read what the store holds; damaged days are told by ``health`` and the venue is asked for them instead."""
        key, damaged = self.series, list[str]()
        first = self._first(now)
        self.bars = self._store.read(key.asset, key.venue, key.resolution, first, int(now), damaged.append)
        self.note("load", "; ".join(damaged) or None)

    def is_behind(self, now: float) -> bool:
        """Whether the venue should have a newer bar than the last one here."""
        return not len(self.bars) or int(self.bars.observed[-1]) < self._end(now)

    def is_lacking(self, now: float) -> bool:
        """Whether some of the past was not asked for yet."""
        return self._gaps is None or len(self._gaps) > 0

    def refresh(self, now: float) -> None:
        """Ask for what is missing of the last hour.

        Raises:
            SourceError: the venue fails; what it sent before is kept.
        """
        start = self._end(now) - RECHECK_SECONDS
        if not len(self.bars) or self.bars.observed[-1] < start:
            self._gaps = None  # there was an outage: look for holes again
        self._fetch(start, self._end(now))

    def back_fill(self, now: float) -> None:
        """Ask for one piece of the past that is missing, the newest one; raises as ``refresh``."""
        if self._gaps is None:
            self._gaps = self._find_gaps(now)
        if self._gaps:
            self._fetch(*self._gaps[-1])
            self._gaps.pop()

    def note(self, kind: str, problem: str | None) -> None:
        """Remember what is wrong, one sentence a kind of trouble; None once it is over."""
        if problem is None:
            self._problems = {name: text for name, text in self._problems.items() if name != kind}
        elif self._problems.get(kind) != problem:
            self._problems = {**self._problems, kind: problem}  # replaced whole: other threads read it
            _log.warning("%s: %s", self.series, problem)

    def health(self) -> SeriesHealth:
        """How it stands now."""
        bars = self.bars
        return SeriesHealth(
            series=self.series,
            first=int(bars.observed[0]) if len(bars) else None,
            last=int(bars.observed[-1]) if len(bars) else None,
            num_bars=len(bars),
            is_whole=self._gaps == [],
            num_amended=len(self._amended),
            num_left_out=len(self._left_out),
            num_unstored=len(self._unstored),
            problem="; ".join(dict.fromkeys(self._problems.values())) or None,
        )

    def _end(self, now: float) -> int:
        """Until when every bar is complete, and has been for long enough to be final."""
        step = self.series.resolution
        return int((now - SETTLED_AFTER_SECONDS) // step) * step

    def _first(self, now: float) -> int:
        step = self.series.resolution
        return int((now - self._history) // step) * step

    def _find_gaps(self, now: float) -> list[Span]:
        step = self.series.resolution
        start = max(self._first(now), self._source.earliest(step))
        pieces = []
        for first, last in spans_without(self.bars.time, step, start, self._end(now)):
            pieces += [(at, min(at + _PIECE_BARS * step, last)) for at in range(first, last, _PIECE_BARS * step)]
        return pieces

    def _fetch(self, start: int, end: int) -> None:
        step = self.series.resolution
        reach = max(start, self._source.earliest(step))
        for first, last in spans_without(self.bars.time, step, reach, end):
            for bars in self._source.fetch(self.series.asset, step, first, last, self._tell):
                self._take_in(bars)

    def _tell(self, sentence: str) -> None:
        """Log what was left out, once: the same minutes are asked for again and again."""
        if sentence not in self._left_out:
            self._left_out.add(sentence)
            _log.warning("%s: %s", self.series, sentence)

    def _take_in(self, bars: Bars) -> None:
        """Keep what is new. The price of a bar that is known stays: a forecast may have started from it."""
        _, at_old, at_new = np.intersect1d(self.bars.time, bars.time, assume_unique=True, return_indices=True)
        changes = differing(take(self.bars, at_old), take(bars, at_new)).values()
        amended = set(self.bars.time[at_old][np.logical_or.reduce(list(changes))].tolist())
        for time in sorted(amended - self._amended):
            _log.warning("%s: the venue changed the bar of %s; the first one stays", self.series, format_time(time))
        self._amended |= amended
        is_new = np.ones(len(bars), dtype=bool)
        is_new[at_new] = False
        if is_new.any():
            self.bars = self._recent(union(self.bars, take(bars, is_new)))
            self._keep(take(bars, is_new))

    def _recent(self, bars: Bars) -> Bars:
        first = int(np.searchsorted(bars.time, bars.time[-1] - self._history))
        return bars if first < len(bars) // 10 else bars.slice(first, len(bars))

    def _keep(self, bars: Bars) -> None:
        """Write to the store; what the disk refuses is tried again with the next bars."""
        key, self._unstored = self.series, union(self._unstored, bars)
        try:
            self._store.append(key.asset, key.venue, key.resolution, self._unstored)
        except DataError as error:
            self.note("store", str(error))
        else:
            self._unstored = concatenate([], key.resolution)
            self.note("store", None)
