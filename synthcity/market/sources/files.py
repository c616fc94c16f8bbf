"""A folder of ``<ASSET>_<resolution>.parquet`` or ``.csv``, e.g. ``BTC_5m.parquet``.

Columns: ``timestamp`` (when the bar opens: a time, ISO text or unix time; UTC unless it says otherwise), ``open``,
``high``, ``low``, ``close``, ``volume``, by these names or usual others; see ``tables``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from synthcity.errors import ConfigError
from synthcity.market.bars import Bars
from synthcity.market.check import Tell, sift_bars
from synthcity.market.columns import bars_from_columns, take
from synthcity.market.sources.tables import read_table
from synthcity.market.times import format_resolution, format_time, parse_resolution

_NAME = re.compile(r"([A-Z][A-Z0-9]*)_(\d+[smh])\.(?:parquet|csv)")


class FileSource:
    """Prices from a folder."""

    def __init__(self, folder: Path | str, venue: str = "files") -> None:
        """List the folder.

        Raises:
            ConfigError: there is no such folder, it has no price file, or two files hold one series.
        """
        self.venue = venue
        self._folder = Path(folder)
        if not self._folder.is_dir():
            raise ConfigError(f"{folder} is no folder; name one with files such as BTC_5m.parquet or BTC_5m.csv")
        self._files: dict[tuple[str, int], Path] = {}
        self.ignored: list[str] = []
        for path in sorted(self._folder.iterdir()):
            self._enter(path)
        if not self._files:
            raise ConfigError(f"{folder} has no price file; they are called e.g. BTC_5m.parquet or BTC_5m.csv")

    @property
    def series(self) -> list[tuple[str, int]]:
        """The (asset, resolution in seconds) pairs there are."""
        return list(self._files)

    def read(self, asset: str, resolution: int, tell: Tell, now: float = math.inf) -> Bars:
        """Read one file whole.

        Bars that cannot be, and those that end after ``now``, are left out and told.

        Raises:
            ConfigError: there is no such file.
            DataError: it cannot be read, lacks a column, or holds mostly bars that cannot be.
        """
        if (asset, resolution) not in self._files:
            raise ConfigError(f"{self._folder} has no file {asset}_{format_resolution(resolution)}.parquet or .csv")
        path = self._files[asset, resolution]
        times, columns = read_table(path, asset)
        bars = sift_bars(bars_from_columns(times, columns, resolution), str(path), tell)
        unfinished = bars.observed > now
        if unfinished.any():
            first = format_time(int(bars.time[unfinished.argmax()]))
            tell(f"{path}: {unfinished.sum():,} bars left out, which end in the future, from {first} on")
        return take(bars, ~unfinished)

    def fetch(self, asset: str, resolution: int, start: int, end: int, tell: Tell) -> Iterator[Bars]:
        """Yield the bars of one file that open in ``[start, end)``; raises as ``read``."""
        bars = self.read(asset, resolution, tell)
        first, last = np.searchsorted(bars.time, [start, end])
        if first < last:
            yield bars.slice(int(first), int(last))

    def _enter(self, path: Path) -> None:
        match = _NAME.fullmatch(path.name)
        if not match:
            self.ignored.append(path.name)
            return
        key = match[1], parse_resolution(match[2])
        if key in self._files:
            raise ConfigError(f"{self._files[key].name} and {path.name} hold the same series; remove one")
        self._files[key] = path
