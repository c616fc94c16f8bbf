from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from synthcity.errors import ConfigError, DataError
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


@pytest.mark.parametrize("name", ["BTC_5m.parquet", "BTC_5m.csv", "BTC_300s.csv"])
def test_parquet_and_csv_say_the_same(tmp_path, name):
    source = write(tmp_path, frame(), name)
    assert source.series == [("BTC", 300)]
    assert_equal(source.read("BTC", 300), BARS)


@pytest.mark.parametrize("form", ["naive", "iso", "seconds"])
def test_forms_of_time(tmp_path, form):
    data = frame()
    if form == "naive":
        data["timestamp"] = data["timestamp"].dt.tz_localize(None)
    elif form == "iso":
        data["timestamp"] = [f"{time:%Y-%m-%dT%H:%M:%S}+02:00" for time in data["timestamp"] + pd.Timedelta("2h")]
    else:
        data["timestamp"] = BARS.time
    assert_equal(write(tmp_path, data).read("BTC", 300), BARS)


def test_range_is_half_open(tmp_path):
    source = write(tmp_path, frame())
    (bars,) = source.fetch("BTC", 300, START + 300, START + 900)
    assert_equal(bars, BARS.slice(1, 3))
    assert list(source.fetch("BTC", 300, START + 86400, START + 2 * 86400)) == []


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
        (spoil("close", 3, "much"), "'close' holds something else than numbers"),
        (spoil("close", 3, float("nan")), "bar 4 .* not finite and positive"),
        (spoil("timestamp", 3, "noon"), "'timestamp' holds something else than times"),
        (spoil("timestamp", 3, None), "row 4 has no timestamp"),
        (spoil("timestamp", 3, "2025-01-01 00:15:00.5+00:00"), "fraction of a second"),
        (spoil("timestamp", 3, "2025-01-01 00:10:00+00:00"), "bar 4 .* repeats the time"),
        (frame().iloc[::-1], "bar 2 .* is earlier than the bar before"),
        (frame().assign(timestamp=BARS.time * 1000), "is no unix second"),
    ],
)
def test_bad_files_are_refused_in_one_sentence(tmp_path, data, message):
    source = write(tmp_path, data)
    with pytest.raises(DataError, match=message) as caught:
        source.read("BTC", 300)
    assert "BTC_5m.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["BTC_5m.parquet", "BTC_5m.csv"])
def test_damaged_file_is_refused(tmp_path, name):
    (tmp_path / name).write_bytes(b"\x00\xff\xfe")
    with pytest.raises(DataError, match="BTC_5m"):
        FileSource(tmp_path).read("BTC", 300)


def test_nonsense_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="is no folder"):
        FileSource(tmp_path / "nowhere")
    with pytest.raises(ConfigError, match="has no price file"):
        FileSource(tmp_path)
    source = write(tmp_path, frame())
    with pytest.raises(ConfigError, match=r"has no file ETH_1m\.parquet"):
        source.read("ETH", 60)
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
        assert len(source.read(asset, resolution)) > 10_000
