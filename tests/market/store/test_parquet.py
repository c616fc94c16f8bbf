from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthcity.errors import ConfigError, DataError
from synthcity.market.columns import bars_of_closes, take
from synthcity.market.store import Series, Store
from synthcity.market.store.price_store import Verification
from tests.market.factories import START, assert_equal, make_bars

DAY = 86400
WRITER = """
import sys
from synthcity.market.store import Store
from synthcity.market.columns import take
from tests.market.factories import make_bars
import numpy as np
folder, which, days = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
bars = make_bars(288 * days)
for first in range(0, len(bars), 48):
    part = bars.slice(first, first + 48)
    chosen = take(part, np.arange(len(part)) % 2 == which) if which < 2 else part
    Store(folder).append("BTC", "files", 300, chosen)
"""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def start_writer(store: Store, which: int, days: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", WRITER, str(store.folder), str(which), str(days)]
    return subprocess.Popen(command, env=os.environ | {"PYTHONPATH": "."})


def test_bars_come_back_from_files_by_day(store):
    bars = make_bars(600)
    assert store.append("BTC", "files", 300, bars) == 600
    assert_equal(store.load("BTC", 300), bars)
    files = sorted(path.name for path in (store.folder / "BTC" / "files" / "300s").glob("*.parquet"))
    assert files == ["2025-01-01.parquet", "2025-01-02.parquet", "2025-01-03.parquet"]


def test_range_is_half_open(store):
    bars = make_bars(600)
    store.append("BTC", "files", 300, bars)
    assert_equal(store.load("BTC", 300, start=START + DAY, end=START + DAY + 600), bars.slice(288, 290))
    assert_equal(store.load("BTC", 300, start=START + 1, end=START + DAY), bars.slice(1, 288))


@settings(max_examples=15, deadline=None)
@given(order=st.permutations(range(6)), keep=st.lists(st.booleans(), min_size=60, max_size=60))
def test_any_order_of_overlapping_pieces_gives_the_union(tmp_path_factory, order, keep):
    store = Store(tmp_path_factory.mktemp("store"))
    bars = make_bars(60, start=START + DAY - 30 * 300)
    held = take(bars, np.array(keep))
    for piece in order:
        store.append("BTC", "files", 300, held.slice(max(0, 10 * piece - 3), 10 * piece + 10))
    if len(held):
        assert_equal(store.load("BTC", 300), held)


def test_same_bars_twice_add_nothing_and_touch_no_file(store):
    bars = make_bars(300)
    store.append("BTC", "files", 300, bars)
    before = {path: path.stat().st_mtime_ns for path in store.folder.rglob("*.parquet")}
    assert store.append("BTC", "files", 300, bars) == 0
    assert before == {path: path.stat().st_mtime_ns for path in store.folder.rglob("*.parquet")}
    assert store.append("BTC", "files", 300, bars.slice(0, 0)) == 0


def test_a_known_bar_never_changes_and_the_rest_is_stored(store):
    bars, told = make_bars(600), []
    store.append("BTC", "files", 300, bars.slice(0, 400))
    close = bars.close.copy()
    close[[290, 350]] = bars.low[[290, 350]]
    assert store.append("BTC", "files", 300, replace(bars, close=close), told.append) == 200
    assert_equal(store.load("BTC", 300), bars)
    (sentence,) = told
    assert "2 of 400 known bars came changed and stay as they were: the bar of 2025-01-02 00:10 is stored" in sentence
    with pytest.raises(DataError, match=r"400 of 400 known bars .* never changes a bar, use another venue name"):
        store.append("BTC", "files", 300, replace(bars, volume=bars.volume + 1).slice(0, 400))


def test_gaps_stay_gaps(store):
    bars = make_bars(40)
    held = take(bars, (np.arange(40) < 10) | (np.arange(40) >= 30))
    store.append("BTC", "files", 300, held)
    assert_equal(store.load("BTC", 300), held)
    ((series, coverage),) = store.info()
    assert series == Series(asset="BTC", venue="files", resolution=300)
    assert (coverage.num_bars, coverage.num_gaps, coverage.longest_gap) == (20, 1, 6000)
    assert coverage.share == pytest.approx(0.5)


def test_bad_bars_are_refused_before_anything_is_written(store):
    bars = make_bars(600)
    close = bars.close.copy()
    close[500] = np.nan
    with pytest.raises(DataError, match=r"BTC 5m \(files\): bar 501 .* not finite and positive"):
        store.append("BTC", "files", 300, replace(bars, close=close))
    assert not store.folder.exists()
    with pytest.raises(ValueError, match="300 s cannot enter a series of 60 s"):
        store.append("BTC", "files", 60, bars)


@pytest.mark.parametrize(("asset", "venue"), [("../BTC", "files"), ("BTC", "a/b"), ("", "files"), ("BTC", ".")])
def test_names_stay_inside_the_store(store, asset, venue):
    with pytest.raises(ConfigError, match="name"):
        store.append(asset, venue, 300, make_bars(3))


def test_resolution_must_divide_a_day(store):
    with pytest.raises(ConfigError, match="7 s does not divide"):
        store.append("BTC", "files", 7, replace(make_bars(3), resolution=7))


@pytest.mark.parametrize("damage", ["empty", "cut", "foreign", "other day"])
def test_damaged_file_is_named_with_the_remedy(store, damage):
    store.append("BTC", "files", 300, make_bars(600))
    folder = store.folder / "BTC" / "files" / "300s"
    path = folder / "2025-01-02.parquet"
    if damage == "empty":
        path.write_bytes(b"")
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[:-100])
    elif damage == "foreign":
        import pandas as pd

        pd.DataFrame({"timestamp": [1], "close": [2.0]}).to_parquet(path)
    else:
        path.write_bytes((folder / "2025-01-01.parquet").read_bytes())
    with pytest.raises(DataError, match=r"2025-01-02\.parquet.*delete this file and import or download"):
        store.load("BTC", 300)
    assert len(store.load("BTC", 300, end=START + DAY)) == 288


def test_what_is_missing_is_said(store):
    with pytest.raises(DataError, match=r"holds no bars; fill it with `synthcity data download`"):
        store.load("BTC", 300)
    store.append("BTC", "files", 300, make_bars(10))
    with pytest.raises(DataError, match=r"unknown asset 'BTX'; did you mean 'BTC'\?"):
        store.load("BTX", 300)
    with pytest.raises(DataError, match=r"no BTC 1m; it has BTC 5m \(files\)"):
        store.load("BTC", 60)
    with pytest.raises(DataError, match="no BTC 5m from 'binance'"):
        store.load("BTC", 300, venue="binance")
    with pytest.raises(DataError, match="from 2026-01-01 00:00 to the end; it has 2025-01-01 00:00 to"):
        store.load("BTC", 300, start=START + 365 * DAY)


def test_two_venues_must_be_told_apart(store):
    store.append("BTC", "binance", 300, make_bars(10))
    store.append("BTC", "files", 300, make_bars(20, seed=1))
    with pytest.raises(ConfigError, match="'binance' and 'files'; name the venue"):
        store.load("BTC", 300)
    assert len(store.load("BTC", 300, venue="files")) == 20
    assert store.load_market(["BTC"], 300, venue="binance")["BTC", 300].close[0] == make_bars(1).close[0]


def test_market_of_several_assets_and_resolutions(store):
    for asset, resolution in [("BTC", 300), ("ETH", 300), ("BTC", 60)]:
        store.append(asset, "files", resolution, make_bars(10, resolution=resolution))
    market = store.load_market(["BTC", "ETH"], 300, end=START + 900, extra=[("BTC", 60)])
    assert {key: len(bars) for key, bars in market.items()} == {
        ("BTC", 300): 3,
        ("ETH", 300): 3,
        ("BTC", 60): 10,
    }


def test_times_of_the_touched_days(store):
    assert len(store.times("BTC", "files", 300, START, START + DAY)) == 0
    bars = make_bars(600)
    store.append("BTC", "files", 300, bars)
    np.testing.assert_array_equal(store.times("BTC", "files", 300, START + 600, START + DAY), bars.time[:288])


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
def test_disk_that_refuses_leaves_the_store_whole(store, monkeypatch, number):
    bars = make_bars(20)
    store.append("BTC", "files", 300, bars.slice(0, 10))

    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", refuse)
        with pytest.raises(DataError, match=f"cannot write .*{os.strerror(number)}"):
            store.append("BTC", "files", 300, bars)
    assert [path.name for path in store.folder.rglob("*.tmp")] == []
    assert_equal(store.load("BTC", 300), bars.slice(0, 10))


def test_store_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "store").write_text("not a folder")
    with pytest.raises(DataError, match="cannot write"):
        Store(tmp_path / "store").append("BTC", "files", 300, make_bars(3))
    with pytest.raises(DataError, match="holds no bars"):
        Store(tmp_path / "store").load("BTC", 300)


def test_two_writers_of_the_same_days_lose_nothing(store):
    with start_writer(store, 0, days=3) as first, start_writer(store, 1, days=3) as second:
        assert (first.wait(timeout=120), second.wait(timeout=120)) == (0, 0)
    assert_equal(store.load("BTC", 300), make_bars(3 * 288))


def test_killed_writer_leaves_whole_days_and_can_go_on(store):
    bars = make_bars(40 * 288)
    for num_days in (1, 7, 15):
        with start_writer(store, 2, days=40) as writer:
            while len(list(store.folder.rglob("*.parquet"))) < num_days:
                assert writer.poll() is None
                time.sleep(0.001)
            writer.send_signal(signal.SIGKILL)
            assert writer.wait(timeout=60) == -signal.SIGKILL
    held = store.load("BTC", 300)
    assert 0 < len(held) < len(bars)
    assert_equal(held, bars.slice(0, len(held)))
    assert store.append("BTC", "files", 300, bars) == len(bars) - len(held)
    assert_equal(store.load("BTC", 300), bars)
    assert list(store.folder.rglob("*.tmp")) == []


def test_what_is_not_named_like_a_series_is_left_alone(store):
    store.append("BTC", "files", 300, make_bars(10))
    for name in ("BTC (copy)/files/300s", "BTC/my files/300s", "BTC/files/7s", "BTC/files/300s (copy)"):
        shutil.copytree(store.folder / "BTC" / "files" / "300s", store.folder / name)
    shutil.copy(
        store.folder / "BTC/files/300s/2025-01-01.parquet", store.folder / "BTC/files/300s/2025-01-01 (1).parquet"
    )
    assert store.series() == [Series(asset="BTC", venue="files", resolution=300)]
    assert len(store.load("BTC", 300)) == 10


def test_damaged_days_are_told_and_the_others_read(store):
    bars, told = make_bars(3 * 288), []
    store.append("BTC", "files", 300, bars)
    (store.folder / "BTC/files/300s/2025-01-02.parquet").write_bytes(b"nonsense")
    held = store.load("BTC", 300, tell=told.append)
    assert_equal(held, take(bars, (bars.time < START + DAY) | (bars.time >= START + 2 * DAY)))
    assert len(told) == 1
    assert "2025-01-02.parquet" in told[0]


def test_verification_names_every_damaged_file(store):
    store.append("BTC", "files", 300, make_bars(3 * 288))
    assert store.verify() == Verification(num_checked=3, num_unproven=0, damaged=())
    folder = store.folder / "BTC/files/300s"
    (folder / "2025-01-01.parquet").write_bytes(b"")
    whole = bytearray((folder / "2025-01-03.parquet").read_bytes())
    whole[len(whole) // 2] ^= 4
    (folder / "2025-01-03.parquet").write_bytes(whole)
    found = store.verify()
    assert (found.num_checked, len(found.damaged)) == (3, 2)
    assert "2025-01-01.parquet" in found.damaged[0]
    assert "2025-01-03.parquet" in found.damaged[1]


def test_the_stamp_changes_with_every_bar_that_is_added(store):
    bars, stamps = make_bars(2 * 288), {store.stamp("BTC")}
    for first, last in ((0, 10), (10, 11), (11, 288), (288, 576)):
        store.append("BTC", "files", 300, bars.slice(first, last))
        stamps.add(store.stamp("BTC"))
    assert len(stamps) == 5
    assert store.stamp("BTC") in stamps


def test_closes_alone_come_back_and_come_twice_without_a_word(store):
    bars = make_bars(600)
    closes, told = bars_of_closes(bars.time, bars.close, 300), list[str]()
    assert store.append("XAU", "synth", 300, closes, told.append) == 600
    assert store.append("XAU", "synth", 300, closes, told.append) == 0
    assert_equal(store.load("XAU", 300), closes)
    assert store.verify().damaged == ()
    other = bars_of_closes(bars.time, np.where(np.arange(600) == 7, 1.0, bars.close), 300)
    store.append("XAU", "synth", 300, other, told.append)
    assert len(told) == 1
    assert "1 of 600 known bars came changed" in told[0]
