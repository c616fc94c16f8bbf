"""Times as files write them: unix times in any unit, ISO texts, dates with a zone; each by itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from synthcity.errors import DataError
from synthcity.market.bars import Times

_FIRST, _LAST = 631_152_000, 4_102_444_800  # 1990 and 2100: a number outside is no unix time, e.g. 202501010005
_UNITS = (1, 10**3, 10**6, 10**9)  # seconds, milliseconds, microseconds, nanoseconds: their ranges do not meet


def unix_seconds(column: pd.Series, path: Path) -> Times:
    """Return whole unix seconds of times, ISO texts (UTC unless they say otherwise) or unix times in any unit.

    Raises:
        DataError: a row has none, or something else, or a fraction of a second.
    """
    if isinstance(column.dtype, pd.DatetimeTZDtype) or pd.api.types.is_datetime64_dtype(column):
        return _whole(pd.DatetimeIndex(pd.to_datetime(column, utc=True)), path)
    if (missing := column.isna().to_numpy()).any():
        raise DataError(f"{path}: row {int(missing.argmax()) + 1} has no timestamp; mend or drop it")
    numbers = pd.to_numeric(column, errors="coerce")
    is_number = numbers.notna().to_numpy()
    seconds = np.zeros(len(column), dtype=np.int64)
    if is_number.any():
        seconds[is_number] = _of_numbers(column[is_number], path)
    if not is_number.all():
        seconds[~is_number] = _of_texts(column[~is_number], path)
    return seconds


def _of_numbers(column: pd.Series, path: Path) -> Times:
    try:
        values = column.astype(np.int64).to_numpy()  # floats lose the digits of nanoseconds
    except (TypeError, ValueError):
        values = pd.to_numeric(column).to_numpy(dtype=np.float64)
    exact = pd.to_numeric(column).to_numpy(dtype=np.float64)
    seconds, known = np.zeros(len(column)), np.zeros(len(column), dtype=bool)
    fraction = np.zeros(len(column), dtype=bool)
    for unit in _UNITS:
        fits = (exact >= _FIRST * unit) & (exact < _LAST * unit)
        seconds[fits] = values[fits] // unit
        fraction[fits] = (values[fits] % unit != 0) | (exact[fits] != np.floor(exact[fits]))
        known |= fits
    if not known.all():
        raise DataError(
            f"{path}: timestamp {column.iloc[int((~known).argmax())]} is no unix time between 1990 and 2100; write "
            "e.g. 2025-11-01T12:30Z or unix seconds"
        )
    if fraction.any():
        _refuse_fraction(path)
    return seconds.astype(np.int64)


def _of_texts(column: pd.Series, path: Path) -> Times:
    try:
        times = pd.DatetimeIndex(pd.to_datetime(column, utc=True, format="ISO8601"))
    except (TypeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise DataError(
            f"{path}: column {column.name!r} holds something else than times ({reason}); write e.g. 2025-11-01T12:30Z"
        ) from error
    return _whole(times, path)


def _whole(times: pd.DatetimeIndex, path: Path) -> Times:
    if times.hasnans:
        raise DataError(f"{path}: row {int(times.isna().argmax()) + 1} has no timestamp; mend or drop it")
    if (times != times.floor("s")).any():
        _refuse_fraction(path)
    return np.asarray(times.as_unit("s").asi8)


def _refuse_fraction(path: Path) -> None:
    raise DataError(f"{path}: a timestamp has a fraction of a second; bars open on whole seconds")
