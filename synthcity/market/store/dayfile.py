"""One Parquet file: the bars of one asset, venue and resolution that open on one UTC day.

Disks flip bits, and most of them still make a number. Pages carry Parquet's own checksums; a hash of the values, kept
in the file's metadata, covers what those leave out: page headers, the footer, the mending of a reader.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from synthcity.durations import DAY
from synthcity.errors import DataError
from synthcity.files import atomic_file
from synthcity.market.bars import Bars, Floats, Times
from synthcity.market.check import check_bars
from synthcity.market.columns import COLUMNS, bars_from_columns
from synthcity.market.times import format_time

SCHEMA = pa.schema([("timestamp", pa.timestamp("ms", tz="UTC"))] + [(name, pa.float64()) for name in COLUMNS])
_HASH = b"synthcity.sha256"


@dataclass(frozen=True, eq=False, kw_only=True)
class DayFile:
    """The bars of one day; ``is_proven`` if the file carries a hash, which they fit."""

    bars: Bars
    is_proven: bool


def day_name(seconds: int) -> str:
    """File name of the UTC day that holds a unix second."""
    return f"{format_time(seconds - seconds % DAY)[:10]}.parquet"


def read_day(path: Path, resolution: int) -> DayFile:
    """Read and check one day. Files of before there were checksums are read as well.

    Raises:
        DataError: the file is damaged, foreign, of another day, or holds a bar that cannot be; it names the
            file and the remedy.
    """
    remedy = "delete this file and import or download that day again"
    if not path.is_file():
        raise DataError(f"{path} is no regular file; {remedy}")
    try:
        table = pq.ParquetFile(path, page_checksum_verification=True).read(use_threads=False)
        is_foreign = not table.schema.equals(SCHEMA) or not table.num_rows or any(c.null_count for c in table.columns)
    except Exception as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
        raise DataError(f"cannot read {path} ({reason}); {remedy}") from error
    if is_foreign:
        raise DataError(f"{path} holds no whole table of {', '.join(SCHEMA.names)}; {remedy}")
    milliseconds = table.column(0).to_numpy().view(np.int64)
    columns = {name: table.column(name).to_numpy() for name in COLUMNS}
    known = (table.schema.metadata or {}).get(_HASH)
    if known is not None and known != _hash(milliseconds, columns):
        raise DataError(f"{path} is damaged: its values do not fit its checksum; {remedy}")
    bars = bars_from_columns(milliseconds // 1000, columns, resolution)
    check_bars(bars, str(path), remedy)
    if day_name(int(bars.time[0])) != path.name or day_name(int(bars.time[-1])) != path.name:
        raise DataError(f"{path} holds bars of another day; {remedy}")
    return DayFile(bars=bars, is_proven=known is not None)


def write_day(path: Path, bars: Bars) -> None:
    """Replace one day's file in one step: a reader, or a kill at any time, sees the old file or the new one.

    Raises:
        OSError: the disk is full, read-only or failing; the old file is untouched.
    """
    milliseconds = bars.time * 1000
    columns = {name: np.ascontiguousarray(getattr(bars, name)) for name in COLUMNS}
    times = pa.array(milliseconds, type=pa.int64()).cast(SCHEMA.field(0).type)
    schema = SCHEMA.with_metadata({_HASH: _hash(milliseconds, columns)})
    table = pa.Table.from_arrays([times, *map(pa.array, columns.values())], schema=schema)
    with atomic_file(path) as draft:
        pq.write_table(
            table,
            draft,
            compression="zstd",
            use_dictionary=False,
            write_statistics=False,
            write_page_checksum=True,
        )


def _hash(milliseconds: Times, columns: Mapping[str, Floats]) -> bytes:
    """Hash of the values as little-endian bytes, column by column, in hexadecimal."""
    found = hashlib.sha256(milliseconds.astype("<i8").tobytes())
    for name in COLUMNS:
        found.update(columns[name].astype("<f8").tobytes())
    return found.hexdigest().encode()
