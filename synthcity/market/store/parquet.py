"""The store of Parquet files: one a day, ``<store>/<asset>/<venue>/<resolution>s/<YYYY-MM-DD>.parquet``.

Every file is replaced in one step under the lock of its series, so killed and concurrent writers leave whole days
behind, and readers need no lock. What is named otherwise (``BTC (copy)``) is left alone.
"""

from __future__ import annotations

import fcntl
import logging
import re
from collections.abc import Hashable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import numpy as np

from synthcity.durations import DAY
from synthcity.errors import ConfigError, DataError
from synthcity.files import sync
from synthcity.market.bars import Bars
from synthcity.market.calendar.events.calendar import Calendar
from synthcity.market.calendar.events.event import Event
from synthcity.market.calendar.events.response import Responses
from synthcity.market.check import Tell, check_bars
from synthcity.market.columns import concatenate, differing, take, union
from synthcity.market.store.calendar import extend_calendar, read_calendar
from synthcity.market.store.dayfile import day_name, read_day, write_day
from synthcity.market.store.price_store import PriceStore, Verification
from synthcity.market.store.responses import keep_responses, read_responses
from synthcity.market.store.series import Series
from synthcity.market.times import format_time

_FEW = 10  # so few known bars may all be amended
_NUM_WRITERS = 8  # a disk makes several files durable at once about as fast as one
_DAY_FILE = re.compile(r"\d{4}-\d\d-\d\d\.parquet")
_SERIES_FOLDER = re.compile(r"([1-9]\d*)s")
_log = logging.getLogger(__name__)


class Store(PriceStore):
    """Bars in a folder.

    Example:
        >>> import synthcity, tempfile
        >>> store = synthcity.Store(tempfile.mkdtemp())
        >>> bars = synthcity.SimulatedMarket().bars("BTC", end=1_735_776_000)
        >>> store.append("BTC", "simulated", 300, bars)
        288
        >>> len(store.load_market(["BTC"], 300)["BTC", 300])
        288
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)

    @property
    def name(self) -> str:
        """The folder."""
        return str(self.folder)

    def list_series(self) -> list[Series]:
        """All series that hold a bar, sorted."""
        return sorted(series for folder in self.folder.glob("*/*/*") if (series := _series_of(folder)) is not None)

    def read(self, asset: str, venue: str, resolution: int, start: int, end: int, tell: Tell | None = None) -> Bars:
        """See ``PriceStore.read``."""
        series = Series(asset=asset, venue=venue, resolution=resolution)
        first, last = day_name(start), day_name(end - 1)
        days = []
        for path in self.day_files(series):
            if not first <= path.name <= last:
                continue
            try:
                days.append(read_day(path, resolution).bars)
            except DataError as error:
                if tell is None:
                    raise
                tell(str(error))
        return concatenate(days, resolution)

    def append(self, asset: str, venue: str, resolution: int, bars: Bars, tell: Tell = _log.warning) -> int:
        """See ``PriceStore.append``."""
        if bars.resolution != resolution:
            raise ValueError(f"bars of {bars.resolution} s cannot enter a series of {resolution} s")
        series = Series(asset=asset, venue=venue, resolution=resolution)
        check_bars(bars, str(series))
        if not len(bars):
            return 0
        folder = self._path(series)
        with _writing(folder), _locked(folder):
            days = [self._parted(series, day) for day in _split_days(bars)]
            _tell_amended(series, bars, concatenate([known for _, known in days], resolution), tell)
            changed = [union(known, new) for new, known in days if len(new)]
            with ThreadPoolExecutor(_NUM_WRITERS) as pool:
                list(pool.map(lambda day: write_day(folder / day_name(int(day.time[0])), day), changed))
            sync(folder)  # a repeated append finds what a killed one wrote, and that may not be on the disk yet
        return sum(len(new) for new, _ in days)

    def span(self, series: Series) -> tuple[int, int]:
        """See ``PriceStore.span``; only the first and the last file are read."""
        files = self.day_files(series)
        first, last = (read_day(path, series.resolution).bars for path in (files[0], files[-1]))
        return int(first.time[0]), int(last.observed[-1])

    def stamp(self, asset: str) -> Hashable:
        """The newest file by name of each series, and the last writing of all."""
        newest = [max(_days_in(folder), default=None) for folder in sorted((self.folder / asset).glob("*/*"))]
        files = [path for path in newest if path is not None]
        return tuple(files), max((path.stat().st_mtime_ns for path in files), default=0)

    def verify(self) -> Verification:
        """Read every file and hold it against its checksum."""
        num_checked, num_unproven, damaged = 0, 0, []
        for series in self.list_series():
            for path in self.day_files(series):
                num_checked += 1
                try:
                    num_unproven += not read_day(path, series.resolution).is_proven
                except DataError as error:
                    damaged.append(str(error))
        return Verification(num_checked=num_checked, num_unproven=num_unproven, damaged=tuple(damaged))

    def day_files(self, series: Series) -> list[Path]:
        """Return the files of a series, one a day, in order."""
        return sorted(_days_in(self._path(series)))

    def calendar(self) -> Calendar:
        """See ``PriceStore.calendar``; its own is the file ``calendar.csv``."""
        return read_calendar(self.folder)

    def extend_calendar(self, events: Iterable[Event]) -> None:
        """See ``PriceStore.extend_calendar``."""
        extend_calendar(self.folder, events)

    def responses(self) -> tuple[Responses, ...]:
        """See ``PriceStore.responses``; its own are the file ``responses.json``."""
        return read_responses(self.folder)

    def keep_responses(self, edition: Responses) -> None:
        """See ``PriceStore.keep_responses``."""
        keep_responses(self.folder, edition)

    def _path(self, series: Series) -> Path:
        return self.folder / series.asset / series.venue / f"{series.resolution}s"

    def _parted(self, series: Series, bars: Bars) -> tuple[Bars, Bars]:
        """Those of one day's ``bars`` that are new, and what the store holds of that day."""
        path = self._path(series) / day_name(int(bars.time[0]))
        known = read_day(path, series.resolution).bars if path.exists() else bars.slice(0, 0)
        return take(bars, ~np.isin(bars.time, known.time)), known


def _series_of(folder: Path) -> Series | None:
    """The series that a folder holds; None if it holds none or is not named like one."""
    match = _SERIES_FOLDER.fullmatch(folder.name)
    if match is None or next(_days_in(folder), None) is None:
        return None
    try:
        return Series(asset=folder.parent.parent.name, venue=folder.parent.name, resolution=int(match[1]))
    except ConfigError:
        return None


def _tell_amended(series: Series, bars: Bars, known: Bars, tell: Tell) -> None:
    """Tell of bars that are ``known`` with other values: the first ones stay, a forecast may have started from them.

    Raises:
        DataError: most of what is known comes with other values, so it is another series.
    """
    _, at_old, at_new = np.intersect1d(known.time, bars.time, assume_unique=True, return_indices=True)
    changes = differing(take(known, at_old), take(bars, at_new))
    amended = np.logical_or.reduce(list(changes.values()))
    if not amended.any():
        return
    row = int(amended.argmax())
    name = next(name for name, change in changes.items() if change[row])
    example = (
        f"the bar of {format_time(known.time[at_old[row]])} is stored with {name} "
        f"{getattr(known, name)[at_old[row]]} and now comes with {getattr(bars, name)[at_new[row]]}"
    )
    if len(amended) >= _FEW and amended.mean() > 0.5:
        raise DataError(
            f"{series}: {amended.sum():,} of {len(amended):,} known bars come with other values, e.g. {example}; "
            "the store never changes a bar, use another venue name or store"
        )
    tell(f"{series}: {amended.sum():,} of {len(amended):,} known bars came changed and stay as they were: {example}")


def _days_in(folder: Path) -> Iterator[Path]:
    return (path for path in folder.glob("*.parquet") if _DAY_FILE.fullmatch(path.name))


def _split_days(bars: Bars) -> list[Bars]:
    edges = np.flatnonzero(np.diff(bars.time // DAY)) + 1
    return [bars.slice(int(a), int(b)) for a, b in pairwise([0, *edges, len(bars)])]


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the series' lock; the system lets go of it when the process dies, however it dies."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        for leftover in folder.glob(".*.tmp"):  # of a writer that was killed: the living one is us
            leftover.unlink()
        yield


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise DataError(
            f"cannot write {folder} ({reason}); free or unlock the disk and repeat, what was stored is whole"
        ) from error
