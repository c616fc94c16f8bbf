"""The price store: one Parquet file a day, ``<store>/<asset>/<venue>/<resolution>s/<YYYY-MM-DD>.parquet``.

Append-only: a known bar never changes, gaps stay gaps. Every file is replaced in one step under the lock of
its series, so killed and concurrent writers leave whole days behind, and readers need no lock.
"""

from __future__ import annotations

import fcntl
import logging
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from synthcity.errors import ConfigError, DataError, unknown_name
from synthcity.files import sync
from synthcity.market.bars import Bars, Market, Times
from synthcity.market.check import Tell, check_bars
from synthcity.market.columns import COLUMNS, concatenate, take, union
from synthcity.market.coverage import Coverage, measure
from synthcity.market.dayfile import day_name, read_day, write_day
from synthcity.market.times import DAY, format_resolution, format_time

_FEW = 10  # so few known bars may all be amended
_NUM_WRITERS = 8  # a disk makes several files durable at once about as fast as one
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_DAY_FILE = re.compile(r"\d{4}-\d\d-\d\d\.parquet")
_SERIES_FOLDER = re.compile(r"([1-9]\d*)s")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, order=True)
class Series:
    """The key under which bars are kept; spot and perpetual, 1 m and 5 m are never mixed."""

    asset: str
    venue: str
    resolution: int

    def __post_init__(self) -> None:
        for kind, name in (("asset", self.asset), ("venue", self.venue)):
            if not _NAME.fullmatch(name):
                raise ConfigError(f"{name!r} is no {kind} name; use letters, digits, - and _")
        if self.resolution <= 0 or DAY % self.resolution:
            raise ConfigError(f"resolution {self.resolution} s does not divide a day into whole bars")

    def __str__(self) -> str:
        return f"{self.asset} {format_resolution(self.resolution)} ({self.venue})"


class Store:
    """Bars on disk by asset, venue and resolution (seconds)."""

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)

    def append(self, asset: str, venue: str, resolution: int, bars: Bars, tell: Tell = _log.warning) -> int:
        """Add bars that are not there yet; those that are there stay as they are.

        Nothing is written unless all of ``bars`` pass.

        Args:
            tell: called with a sentence if known bars come with other values.

        Returns:
            Number of bars added.

        Raises:
            DataError: a bar cannot be, most known bars come with other values, or the disk refuses to write.
        """
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

    def load(
        self,
        asset: str,
        resolution: int,
        venue: str | None = None,
        start: int | None = None,
        end: int | None = None,
    ) -> Bars:
        """Return the bars that open in ``[start, end)`` (unix seconds; None leaves that side open).

        ``venue`` may be left out where only one holds this asset and resolution.

        Raises:
            ConfigError: several venues hold the series and none was named.
            DataError: there is no such series or no bar in the range, or a file is damaged.
        """
        series = self.find(asset, resolution, venue)
        days = [
            read_day(path, resolution)
            for path in self._day_files(series)
            if (start is None or path.name >= day_name(start)) and (end is None or path.name <= day_name(end - 1))
        ]
        bars = concatenate(days, resolution)
        first = 0 if start is None else int(np.searchsorted(bars.time, start))
        last = len(bars) if end is None else int(np.searchsorted(bars.time, end))
        if first >= last:
            span = f"from {_bound(start, 'the beginning')} to {_bound(end, 'the end')}"
            files = self._day_files(series)
            have = f"{files[0].stem} to {files[-1].stem}"
            raise DataError(f"store {self.folder} holds no bars of {series} {span}; it has {have}")
        return bars.slice(first, last)

    def load_market(
        self,
        assets: Sequence[str],
        resolution: int,
        start: int | None = None,
        end: int | None = None,
        *,
        extra: Sequence[tuple[str, int]] = (),
        venue: str | None = None,
    ) -> Market:
        """Return the market of ``assets`` at ``resolution``, and of the ``extra`` (asset, resolution) pairs.

        Raises: as ``load``.
        """
        keys = [(asset, resolution) for asset in assets] + list(extra)
        return Market({key: self.load(*key, venue, start, end) for key in keys})

    def series(self) -> list[Series]:
        """All series, sorted by asset, venue and resolution.

        Raises:
            DataError: the store does not exist or holds nothing.
        """
        found = [
            Series(asset=folder.parent.parent.name, venue=folder.parent.name, resolution=int(match[1]))
            for folder in self.folder.glob("*/*/*")
            if (match := _SERIES_FOLDER.fullmatch(folder.name)) and any(_days_in(folder))
        ]
        if not found:
            raise DataError(
                f"store {self.folder} holds no bars; "
                "fill it with `synthcity data download`, `synthcity data import` or `synthcity data simulate`"
            )
        return sorted(found)

    def info(self) -> list[tuple[Series, Coverage]]:
        """What the store holds and how whole each series is."""
        return [(s, measure(self.load(s.asset, s.resolution, s.venue))) for s in self.series()]

    def find(self, asset: str, resolution: int, venue: str | None = None) -> Series:
        """Return the one series of this asset and resolution.

        Raises:
            ConfigError: several venues hold it and ``venue`` names none.
            DataError: none holds it.
        """
        have = self.series()
        of_asset = [series for series in have if series.asset == asset]
        if not of_asset:
            raise DataError(f"{unknown_name('asset', asset, {s.asset for s in have})} (in store {self.folder})")
        fitting = [s for s in of_asset if s.resolution == resolution and venue in (None, s.venue)]
        if not fitting:
            wanted = f"{asset} {format_resolution(resolution)}" + (f" from {venue!r}" if venue else "")
            raise DataError(f"store {self.folder} holds no {wanted}; it has {', '.join(map(str, of_asset))}")
        if len(fitting) > 1:
            names = " and ".join(repr(series.venue) for series in fitting)
            raise ConfigError(f"{asset} {format_resolution(resolution)} is stored from {names}; name the venue")
        return fitting[0]

    def times(self, asset: str, venue: str, resolution: int, start: int, end: int) -> Times:
        """Opening times of the stored bars of the days that ``[start, end)`` touches; none is no error."""
        return self.read(asset, venue, resolution, start, end).time

    def read(self, asset: str, venue: str, resolution: int, start: int, end: int) -> Bars:
        """Bars of the days that ``[start, end)`` touches; unlike for ``load``, none is no error.

        Raises:
            DataError: a file is damaged.
        """
        series = Series(asset=asset, venue=venue, resolution=resolution)
        first, last = day_name(start), day_name(end - 1)
        files = [path for path in self._day_files(series) if first <= path.name <= last]
        return concatenate([read_day(path, resolution) for path in files], resolution)

    def _path(self, series: Series) -> Path:
        return self.folder / series.asset / series.venue / f"{series.resolution}s"

    def _day_files(self, series: Series) -> list[Path]:
        return sorted(_days_in(self._path(series)))

    def _parted(self, series: Series, bars: Bars) -> tuple[Bars, Bars]:
        """Those of one day's ``bars`` that are new, and what the store holds of that day."""
        path = self._path(series) / day_name(int(bars.time[0]))
        known = read_day(path, series.resolution) if path.exists() else bars.slice(0, 0)
        return take(bars, ~np.isin(bars.time, known.time)), known


def _tell_amended(series: Series, bars: Bars, known: Bars, tell: Tell) -> None:
    """Tell of bars that are ``known`` with other values: the first ones stay, a forecast may have started from them.

    Raises:
        DataError: most of what is known comes with other values, so it is another series.
    """
    _, at_old, at_new = np.intersect1d(known.time, bars.time, assume_unique=True, return_indices=True)
    changes = {name: getattr(known, name)[at_old] != getattr(bars, name)[at_new] for name in COLUMNS}
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


def _bound(seconds: int | None, otherwise: str) -> str:
    return otherwise if seconds is None else format_time(seconds)


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
