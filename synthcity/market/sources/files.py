"""A folder of ``<ASSET>_<resolution>.parquet`` or ``.csv``, e.g. ``BTC_5m.parquet``.

Columns: ``timestamp`` (when the bar opens: a time, ISO text or unix seconds; UTC unless it says otherwise),
``open``, ``high``, ``low``, ``close``, ``volume``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from synthcity.errors import ConfigError, DataError
from synthcity.market.bars import Bars, Times
from synthcity.market.check import check_bars
from synthcity.market.columns import COLUMNS, bars_from_columns
from synthcity.market.times import format_resolution, parse_resolution

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

    def read(self, asset: str, resolution: int) -> Bars:
        """Read one file whole.

        Raises:
            ConfigError: there is no such file.
            DataError: it cannot be read, lacks a column, or holds a bar that cannot be.
        """
        if (asset, resolution) not in self._files:
            raise ConfigError(f"{self._folder} has no file {asset}_{format_resolution(resolution)}.parquet or .csv")
        path = self._files[asset, resolution]
        frame = _read_frame(path)
        if missing := [name for name in ("timestamp", *COLUMNS) if name not in frame.columns]:
            raise DataError(f"{path} lacks the column {missing[0]!r}; it has {', '.join(map(str, frame.columns))}")
        columns = {name: _numbers(frame[name], path) for name in COLUMNS}
        bars = bars_from_columns(_seconds(frame["timestamp"], path), columns, resolution)
        check_bars(bars, str(path))
        return bars

    def fetch(self, asset: str, resolution: int, start: int, end: int) -> Iterator[Bars]:
        """Yield the bars of one file that open in ``[start, end)``; raises as ``read``."""
        bars = self.read(asset, resolution)
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


def _read_frame(path: Path) -> pd.DataFrame:
    try:
        return pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    except (OSError, ValueError, pa.ArrowException) as error:
        reason = str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
        raise DataError(f"cannot read {path} ({reason}); replace the file") from error


def _numbers(column: pd.Series, path: Path) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    try:
        return np.asarray(column.to_numpy(dtype=np.float64))
    except (TypeError, ValueError) as error:
        raise DataError(f"{path}: column {column.name!r} holds something else than numbers ({error})") from error


def _seconds(column: pd.Series, path: Path) -> Times:
    """Unix seconds of a column of times, ISO texts or unix seconds."""
    if pd.api.types.is_integer_dtype(column):
        seconds = column.to_numpy(dtype=np.int64)
        if len(seconds) and not 0 <= seconds[0] < 10**11:
            raise DataError(f"{path}: timestamp {seconds[0]} is no unix second (milliseconds?)")
        return np.asarray(seconds)
    try:
        times = pd.DatetimeIndex(pd.to_datetime(column, utc=True, format="ISO8601"))
    except (TypeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise DataError(f"{path}: column 'timestamp' holds something else than times ({reason})") from error
    if times.hasnans:
        raise DataError(f"{path}: row {int(times.isna().argmax()) + 1} has no timestamp; mend or drop it")
    if (times != times.floor("s")).any():
        raise DataError(f"{path}: a timestamp has a fraction of a second; bars open on whole seconds")
    return np.asarray(times.as_unit("s").asi8)
