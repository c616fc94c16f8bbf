from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from synthcity.errors import DataError
from synthcity.market.columns import COLUMNS
from synthcity.market.sources.tables import read_table
from tests.market.factories import make_bars

BARS = make_bars(20)
TIMES = pd.to_datetime(BARS.time, unit="s", utc=True)


def frame(**changes: object) -> pd.DataFrame:
    return pd.DataFrame({"timestamp": BARS.time} | {name: getattr(BARS, name) for name in COLUMNS} | changes)


def check(path: Path, **tolerance: float) -> None:
    """The file says what ``BARS`` says."""
    times, columns = read_table(path, "BTC")
    np.testing.assert_array_equal(times, BARS.time)
    for name in COLUMNS:
        np.testing.assert_allclose(columns[name], getattr(BARS, name), **{"rtol": 0} | tolerance)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("decimal", [".", ","])
def test_separators_and_decimal_commas(tmp_path, separator, decimal):
    if separator == decimal:
        pytest.skip("nobody can write that without quotes")
    frame().to_csv(tmp_path / "BTC_5m.csv", sep=separator, decimal=decimal, index=False)
    check(tmp_path / "BTC_5m.csv")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_what_spreadsheets_write(tmp_path, encoding):
    text = frame(timestamp=TIMES.strftime("%Y-%m-%dT%H:%M:%SZ")).to_csv(index=False, sep="\t")
    (tmp_path / "BTC_5m.csv").write_text(text, encoding=encoding)
    check(tmp_path / "BTC_5m.csv")


@pytest.mark.parametrize(
    "header",
    [
        "Open time,Open,High,Low,Close,Volume",
        "TIMESTAMP,OPEN,HIGH,LOW,CLOSE,VOLUME",
        "t,o,h,l,c,v",
        "unix,open,high,low,close,Volume BTC",
        '"Date","Open","High","Low","Close","Vol."',
        "open_time,open_price,high_price,low_price,close_price,base_volume",
    ],
)
def test_headers_as_people_write_them(tmp_path, header):
    rows = frame().to_csv(index=False, header=False)
    (tmp_path / "BTC_5m.csv").write_text(f"{header}\n{rows}")
    check(tmp_path / "BTC_5m.csv")


@pytest.mark.parametrize("unit", [1000, 1_000_000])
def test_dumps_of_binance_without_a_header(tmp_path, unit):
    dump = frame(timestamp=BARS.time * unit)
    dump = dump.assign(close_time=(BARS.time + 300) * unit - 1, quote=1.5, trades=7, base=0.5, taker=2.5, zero=0)
    dump.to_csv(tmp_path / "BTC_5m.csv", index=False, header=False)
    check(tmp_path / "BTC_5m.csv")


def test_a_date_and_a_time_are_joined(tmp_path):
    data = frame().drop(columns="timestamp").assign(Date=TIMES.strftime("%Y-%m-%d"), Time=TIMES.strftime("%H:%M"))
    data.to_csv(tmp_path / "BTC_5m.csv", index=False, sep=";")
    check(tmp_path / "BTC_5m.csv")


@pytest.mark.parametrize("name", ["timestamp", None, "Open time"])
@pytest.mark.parametrize("zone", ["UTC", "America/New_York", None])
def test_a_parquet_index_of_times(tmp_path, name, zone):
    times = TIMES.tz_convert(zone) if zone else TIMES.tz_localize(None)
    frame().drop(columns="timestamp").set_axis(times.rename(name)).to_parquet(tmp_path / "BTC_5m.parquet")
    check(tmp_path / "BTC_5m.parquet")


@pytest.mark.parametrize("kind", ["Int64", "float64", "object"])
def test_nullable_and_float_columns(tmp_path, kind):
    data = frame(timestamp=pd.Series(BARS.time).astype(kind), volume=pd.Series(BARS.volume).astype("Float64"))
    data.loc[3, "volume"] = pd.NA
    data.to_parquet(tmp_path / "BTC_5m.parquet")
    times, columns = read_table(tmp_path / "BTC_5m.parquet", "BTC")
    np.testing.assert_array_equal(times, BARS.time)
    assert np.flatnonzero(np.isnan(columns["volume"])).tolist() == [3]


def test_thousands_are_told_from_decimals_where_both_stand(tmp_path):
    prices = {name: [f"{1000 + value:,.2f}" for value in getattr(BARS, name)] for name in COLUMNS[:4]}
    frame(**prices).to_csv(tmp_path / "BTC_5m.csv", index=False)
    _, columns = read_table(tmp_path / "BTC_5m.csv", "BTC")
    np.testing.assert_allclose(columns["close"], 1000 + BARS.close, atol=0.005)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("1735689600;1;2;1;1,500;3\n" * 3, "'1,500', whose comma may part decimals or thousands"),
        ("1735689600,1,2,1,1,3,4,5\n" * 3, "has no header and 8 columns; write a first line that names them"),
        ("time,open,high,low,close\n1735689600,1,2,1,1\n", "lacks the column 'volume'; it has time, open"),
        ("time,open,high,low,close,volume\n01/02/2025,1,2,1,1,3\n", "something else than times"),
        ("time,open,high,low,close,volume\n1735689600,1,2,1,one,3\n", r"something else than numbers \('one'\)"),
    ],
)
def test_what_may_be_read_in_two_ways_is_refused(tmp_path, text, message):
    (tmp_path / "BTC_5m.csv").write_text(text)
    with pytest.raises(DataError, match=message) as caught:
        read_table(tmp_path / "BTC_5m.csv", "BTC")
    assert "BTC_5m.csv" in str(caught.value)
    assert "\n" not in str(caught.value)
