"""Price tables as people have them: what is unambiguous is read, the rest refused with a sentence on what to do."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from synthcity.errors import DataError
from synthcity.market.bars import Floats, Times
from synthcity.market.columns import COLUMNS
from synthcity.market.sources.times import unix_seconds

_SEPARATORS = (",", ";", "\t", "|")
_NUM_SNIFFED = 20  # lines
_TIMES = ("timestamp", "opentime", "opentimestamp", "time", "datetime", "date", "unix", "unixtimestamp", "ts", "t")
_NUM_KLINE_COLUMNS = (6, 12)  # a bar, or Binance's dump: a bar, closing time and five more
_PRICES = {name: (name, name[0], f"{name}price", f"price{name}") for name in COLUMNS[:4]}
_VOLUMES = ("volume", "vol", "v", "basevolume", "tickvolume", "tickvol")
_BYTE_ORDER_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}


def read_table(path: Path, asset: str) -> tuple[Times, dict[str, Floats]]:
    """Return opening times (unix seconds) and the five ``COLUMNS`` of a Parquet or CSV file, in the file's order.

    Numbers that are missing are NaN.

    Raises:
        DataError: it cannot be read, lacks a column, or holds what can be read in more than one way.
    """
    if not path.is_file():
        raise DataError(f"{path} is no regular file; replace it")
    try:
        frame = _with_index(pd.read_parquet(path)) if path.suffix == ".parquet" else _read_text(path)
    except DataError:
        raise
    except Exception as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
        raise DataError(f"cannot read {path} ({reason}); replace the file") from error
    frame = _with_joined_times(frame)
    names = _find_columns(frame, asset, path)
    columns = {name: _numbers(frame[names[name]], path) for name in COLUMNS}
    return unix_seconds(frame[names["timestamp"]], path), columns


def _with_index(frame: pd.DataFrame) -> pd.DataFrame:
    """Make a column of an index of times."""
    if any(_plain(name) in _TIMES for name in frame.columns):
        return frame
    if isinstance(frame.index, pd.DatetimeIndex) or _plain(frame.index.name or "") in _TIMES:
        return frame.rename_axis(index="timestamp").reset_index()
    return frame


def _with_joined_times(frame: pd.DataFrame) -> pd.DataFrame:
    """Make one column of a date and a time of the day, where there is no better one."""
    names = {_plain(name): name for name in frame.columns}
    if not {"date", "time"} <= names.keys() or names.keys() & set(_TIMES) - {"date", "time"}:
        return frame
    joined = frame[names["date"]].astype(str) + " " + frame[names["time"]].astype(str)
    return frame.drop(columns=[names["date"], names["time"]]).assign(timestamp=joined)


def _read_text(path: Path) -> pd.DataFrame:
    """Read all cells as text; without a header, the columns of a bar or of Binance's dumps."""
    with path.open("rb") as file:
        start = file.read(3)
    encoding = next((name for mark, name in _BYTE_ORDER_MARKS.items() if start.startswith(mark)), "utf-8")
    with path.open(encoding=encoding) as text:
        lines = [line.rstrip("\n") for line, _ in zip(text, range(_NUM_SNIFFED), strict=False) if line.strip()]
    if not lines:
        raise DataError(f"{path} is empty; replace the file")
    separator = _separator(lines, path)
    frame = pd.read_csv(
        path, sep=separator, header=None, dtype=str, encoding=encoding, skipinitialspace=True, keep_default_na=True
    )
    first = frame.iloc[0]
    if any(_plain(name) in (*_TIMES, *_VOLUMES, *COLUMNS) for name in first.dropna()):
        frame.columns = pd.Index([str(name).strip() for name in first])
        return frame.iloc[1:].reset_index(drop=True)
    if frame.shape[1] not in _NUM_KLINE_COLUMNS:
        raise DataError(
            f"{path} has no header and {frame.shape[1]} columns; write a first line that names them, "
            f"e.g. {','.join(('timestamp', *COLUMNS))}"
        )
    return frame.iloc[:, :6].set_axis(["timestamp", *COLUMNS], axis=1)


def _separator(lines: Sequence[str], path: Path) -> str:
    """The one sign that cuts all lines into equally many cells."""
    counts = {sign: [_num_cells(line, sign) for line in lines] for sign in _SEPARATORS}
    fitting = {sign: found[0] for sign, found in counts.items() if found[0] >= 6 and len(set(found)) == 1}
    if len(fitting) > 1 and "," in fitting:  # decimal commas may happen to be equally many in each line
        del fitting[","]
    if not fitting:  # too few columns, or ragged: the reader of the header says what is missing
        return max(_SEPARATORS, key=lambda sign: min(counts[sign]))
    if len(fitting) > 1:
        raise DataError(f"{path} may be cut into columns by {' or '.join(map(repr, fitting))}; use one of them alone")
    return next(iter(fitting))


def _num_cells(line: str, sign: str) -> int:
    return len(re.sub(r'"[^"]*"', "", line).split(sign))


def _find_columns(frame: pd.DataFrame, asset: str, path: Path) -> dict[str, str]:
    """What the file calls each of our columns."""
    plain: dict[str, str] = {}
    for name in frame.columns:
        plain.setdefault(_plain(name), name)
    volumes = (*_VOLUMES, f"volume{asset.lower()}", f"vol{asset.lower()}")
    wanted = {"timestamp": _TIMES, **_PRICES, "volume": volumes}
    found = {ours: next((plain[word] for word in words if word in plain), None) for ours, words in wanted.items()}
    if missing := [ours for ours, theirs in found.items() if theirs is None]:
        raise DataError(f"{path} lacks the column {missing[0]!r}; it has {', '.join(map(str, frame.columns))}")
    return {ours: theirs for ours, theirs in found.items() if theirs is not None}


def _plain(name: object) -> str:
    return re.sub(r"[^a-z0-9]", "", str(name).lower())


def _numbers(column: pd.Series, path: Path) -> Floats:
    if pd.api.types.is_numeric_dtype(column):
        return np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan))
    given = column[column.notna()].astype(str).str.strip()
    numbers = pd.to_numeric(_with_decimal_point(given, path, str(column.name)), errors="coerce")
    if numbers.isna().any():
        row = int(numbers.isna().to_numpy().argmax())
        raise DataError(f"{path}: column {column.name!r} holds something else than numbers ({given.iloc[row]!r})")
    values = np.full(len(column), np.nan)
    values[column.notna().to_numpy()] = numbers.to_numpy(dtype=np.float64)
    return values


def _with_decimal_point(text: pd.Series, path: Path, name: str) -> pd.Series:
    """Rewrite numbers with a decimal comma or with separated thousands, where it is clear which of them it is."""
    comma = text.str.contains(",", regex=False)
    if not comma.any():
        return text
    both = comma & text.str.contains(".", regex=False)
    if both.any():
        last_is_comma = text[both].str.rfind(",") > text[both].str.rfind(".")
        if last_is_comma.nunique() == 1:
            decimal = "," if last_is_comma.iloc[0] else "."
            other = "." if decimal == "," else ","
            return text.str.replace(other, "", regex=False).str.replace(decimal, ".", regex=False)
    elif not text.str.fullmatch(r"[+-]?[1-9]\d{0,2}(,\d{3})?").all() and (text[comma].str.count(",") == 1).all():
        return text.str.replace(",", ".", regex=False)
    raise DataError(
        f"{path}: column {name!r} holds {text[comma].iloc[0]!r}, whose comma may part decimals or thousands; "
        "write numbers with a decimal point"
    )
