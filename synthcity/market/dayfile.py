"""One Parquet file: the bars of one asset, venue and resolution that open on one UTC day."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from synthcity.errors import DataError
from synthcity.files import atomic_file
from synthcity.market.bars import Bars
from synthcity.market.check import check_bars
from synthcity.market.columns import COLUMNS, bars_from_columns
from synthcity.market.times import DAY, format_time

SCHEMA = pa.schema([("timestamp", pa.timestamp("ms", tz="UTC"))] + [(name, pa.float64()) for name in COLUMNS])


def day_name(seconds: int) -> str:
    """File name of the UTC day that holds a unix second."""
    return f"{format_time(seconds - seconds % DAY)[:10]}.parquet"


def read_day(path: Path, resolution: int) -> Bars:
    """Read and check one day.

    Raises:
        DataError: the file is damaged, foreign, of another day, or holds a bar that cannot be; it names the
            file and the remedy.
    """
    remedy = "delete this file and import or download that day again"
    try:
        table = pq.ParquetFile(path).read(use_threads=False)
    except (OSError, pa.ArrowException) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise DataError(f"cannot read {path} ({reason}); {remedy}") from error
    if not table.schema.equals(SCHEMA) or not table.num_rows or any(c.null_count for c in table.columns):
        raise DataError(f"{path} holds no whole table of {', '.join(SCHEMA.names)}; {remedy}")
    time = table.column(0).to_numpy().view(np.int64) // 1000
    bars = bars_from_columns(time, {name: table.column(name).to_numpy() for name in COLUMNS}, resolution)
    check_bars(bars, str(path), remedy)
    if day_name(int(time[0])) != path.name or day_name(int(time[-1])) != path.name:
        raise DataError(f"{path} holds bars of another day; {remedy}")
    return bars


def write_day(path: Path, bars: Bars) -> None:
    """Replace one day's file in one step: a reader, or a kill at any time, sees the old file or the new one.

    Raises:
        OSError: the disk is full, read-only or failing; the old file is untouched.
    """
    times = pa.array(bars.time * 1000, type=pa.int64()).cast(SCHEMA.field(0).type)
    table = pa.Table.from_arrays([times, *(pa.array(getattr(bars, name)) for name in COLUMNS)], schema=SCHEMA)
    with atomic_file(path) as draft:
        pq.write_table(table, draft, compression="zstd", use_dictionary=False, write_statistics=False)
