from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from synthcity.errors import ConfigError, DataError
from synthcity.market.bars import Bars
from synthcity.market.columns import COLUMNS
from synthcity.market.sources.files import FileSource
from synthcity.settings import Settings
from tests.market.factories import START, assert_equal, make_bars

BARS = make_bars(20)


def frame() -> pd.DataFrame:
    times = pd.to_datetime(BARS.time, unit="s", utc=True)
    return pd.DataFrame({"timestamp": times} | {name: getattr(BARS, name) for name in COLUMNS})


def write(folder: Path, data: pd.DataFrame, name: str = "BTC_5m.csv") -> FileSource:
    data.to_parquet(folder / name) if name.endswith("parquet") else data.to_csv(folder / name, index=False)
    return FileSource(folder)


def read(source: FileSource, told: list[str] | None = None, now: float = float("inf")) -> Bars:
    return source.read("BTC", 300, (told if told is not None else []).append, now)


@pytest.mark.parametrize("name", ["BTC_5m.parquet", "BTC_5m.csv", "BTC_300s.csv"])
def test_parquet_and_csv_say_the_same(tmp_path, name):
    source = write(tmp_path, frame(), name)
    assert source.series == [("BTC", 300)]
    assert_equal(read(source), BARS)


@pytest.mark.parametrize("form", ["naive", "iso", "seconds"])
def test_forms_of_time(tmp_path, form):
    data = frame()
    if form == "naive":
        data["timestamp"] = data["timestamp"].dt.tz_localize(None)
    elif form == "iso":
        data["timestamp"] = [f"{time:%Y-%m-%dT%H:%M:%S}+02:00" for time in data["timestamp"] + pd.Timedelta("2h")]
    else:
        data["timestamp"] = BARS.time
    assert_equal(read(write(tmp_path, data)), BARS)


def test_range_is_half_open(tmp_path):
    source = write(tmp_path, frame())
    (bars,) = source.fetch("BTC", 300, START + 300, START + 900, print)
    assert_equal(bars, BARS.slice(1, 3))
    assert list(source.fetch("BTC", 300, START + 86400, START + 2 * 86400, print)) == []


def test_other_files_are_told_apart(tmp_path):
    for name in ("README.md", "index.json", "holdout.tar.enc", "btc_5m.csv", "BTC_5m.csv.gz"):
        (tmp_path / name).write_text("x")
    source = write(tmp_path, frame())
    assert source.series == [("BTC", 300)]
    assert source.ignored == ["BTC_5m.csv.gz", "README.md", "btc_5m.csv", "holdout.tar.enc", "index.json"]


def spoil(column: str, row: int, value: object) -> pd.DataFrame:
    data = frame().astype({"timestamp": str})
    if column != "timestamp":
        data[column] = data[column].astype(object)
    data.loc[row, column] = value
    return data


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (frame().drop(columns="high"), "lacks the column 'high'; it has timestamp, open"),
        (spoil("close", 3, "much"), "'close' holds something else than numbers \\('much'\\)"),
        (spoil("timestamp", 3, "noon"), "'timestamp' holds something else than times"),
        (spoil("timestamp", 3, None), "row 4 has no timestamp"),
        (spoil("timestamp", 3, "2025-01-01 00:15:00.5+00:00"), "fraction of a second"),
        (frame().assign(timestamp=np.arange(20) + 45658), "is no unix time between 1990 and 2100"),
        (frame().assign(timestamp=202501010000 + np.arange(20)), "is no unix time between 1990 and 2100"),
        (frame().assign(high=BARS.low * 0.9), "20 of 20 bars cannot be, e.g. that of 2025-01-01 00:00 has its high"),
    ],
)
def test_bad_files_are_refused_in_one_sentence(tmp_path, data, message):
    source = write(tmp_path, data)
    with pytest.raises(DataError, match=message) as caught:
        read(source)
    assert "BTC_5m.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["BTC_5m.parquet", "BTC_5m.csv"])
def test_damaged_file_is_refused(tmp_path, name):
    (tmp_path / name).write_bytes(b"\x00\xff\xfe")
    with pytest.raises(DataError, match="BTC_5m"):
        read(FileSource(tmp_path))


def test_nonsense_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="is no folder"):
        FileSource(tmp_path / "nowhere")
    with pytest.raises(ConfigError, match="has no price file"):
        FileSource(tmp_path)
    source = write(tmp_path, frame())
    with pytest.raises(ConfigError, match=r"has no file ETH_1m\.parquet"):
        source.read("ETH", 60, print)
    with pytest.raises(ConfigError, match=r"BTC_5m\.csv and BTC_5m\.parquet hold the same series"):
        write(tmp_path, frame(), "BTC_5m.parquet")


@pytest.mark.real_data
def test_real_prices_pass_all_checks():
    folder = Settings.load().real_data
    if not folder:
        pytest.skip("SYNTHCITY_REAL_DATA is not set")
    source = FileSource(folder)
    assert len(source.series) >= 10
    for asset, resolution in source.series:
        assert len(source.read(asset, resolution, print)) > 10_000


@pytest.mark.parametrize(
    ("data", "left_out"),
    [
        (spoil("close", 3, float("nan")), 1),
        (spoil("close", 3, 0.0), 1),
        (spoil("timestamp", 3, "2025-01-01 00:10:00+00:00"), 2),
    ],
)
def test_one_bar_that_cannot_be_is_left_out_and_told(tmp_path, data, left_out):
    told: list[str] = []
    assert len(read(write(tmp_path, data), told)) == 20 - left_out
    (sentence,) = told
    assert sentence.startswith(f"{tmp_path}/BTC_5m.csv: {left_out} of 20 bars left out: that of 2025-01-01 00:1")


def test_order_and_equal_repeats_do_not_matter(tmp_path):
    data = pd.concat([frame().iloc[::-1], frame().iloc[3:6]])
    told: list[str] = []
    assert_equal(read(write(tmp_path, data), told), BARS)
    assert not told


def test_bars_that_end_in_the_future_are_left_out_and_told(tmp_path):
    told: list[str] = []
    assert_equal(read(write(tmp_path, frame()), told, now=START + 10 * 300 + 299), BARS.slice(0, 10))
    assert told == [f"{tmp_path}/BTC_5m.csv: 10 bars left out, which end in the future, from 2025-01-01 00:50 on"]


def test_a_pipe_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "BTC_5m.csv")
    with pytest.raises(DataError, match="is no regular file"):
        read(FileSource(tmp_path))
