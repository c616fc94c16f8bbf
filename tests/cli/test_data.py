from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from synthcity.cli import main as cli_main
from synthcity.market.columns import COLUMNS, take
from synthcity.market.simulated import SimulatedConfig, SimulatedMarket
from synthcity.market.store import Store
from synthcity.market.venues import candles, http
from synthcity.settings import Settings
from tests.market.factories import assert_equal, make_bars
from tests.standins.prices import NOW, PriceServer, price_server
from tests.standins.synthdata import synth_server

DAY = 86400
MINUTES = ("--resolution", "1m")
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run ``synthcity data ...`` in this process: exit code, output, errors."""

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["synthcity", "data", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli_main.main()
        text = capsys.readouterr()
        return int(ended.value.code or 0), text.out, text.err

    return call


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    target = tmp_path / "files"
    target.mkdir()
    for asset, kind in (("BTC", "parquet"), ("XAU", "csv")):
        bars = make_bars(600)
        times = pd.to_datetime(bars.time, unit="s", utc=True)
        frame = pd.DataFrame({"timestamp": times} | {name: getattr(bars, name) for name in COLUMNS})
        frame = frame.drop(index=range(100, 110))
        path = target / f"{asset}_5m.{kind}"
        frame.to_parquet(path) if kind == "parquet" else frame.to_csv(path, index=False)
    (target / "index.json").write_text("{}")
    return target


@pytest.fixture(scope="module")
def server() -> Iterator[PriceServer]:
    with price_server() as running:
        yield running


@pytest.fixture
def venues(server: PriceServer, monkeypatch: pytest.MonkeyPatch) -> PriceServer:
    """Point the venues to the stand-in, at its time and without pauses."""
    server.faults()
    monkeypatch.setenv("SYNTHCITY_BINANCE_URL", server.url)
    monkeypatch.setenv("SYNTHCITY_HYPERLIQUID_URL", server.url)
    monkeypatch.setattr("time.time", lambda: float(NOW))
    monkeypatch.setattr(http.time, "sleep", lambda seconds: None)
    assert candles.system_clock() == NOW
    return server


def test_import_says_what_it_did_and_twice_changes_nothing(run, folder, store):
    code, out, _ = run("import", folder, "--store", store)
    assert code == 0
    assert "BTC 5m (files): 590 bars from 2025-01-01 00:00 to 2025-01-03 01:55, one gap of 50m; 590 new" in out
    assert "left alone, not named like BTC_5m.parquet: index.json" in out
    assert "1,180 new bars" in out
    assert_equal(Store(store).load("BTC", 300), Store(store).load("XAU", 300))
    code, out, _ = run("import", folder, "--store", store)
    assert code == 0
    assert "590 bars" in out
    assert "0 new" in out
    assert f"nothing new: {store} holds all of it already" in out
    run("import", folder, "--store", store, "--venue", "broker")
    assert len(Store(store).load("BTC", 300, venue="broker")) == 590


def test_import_leaves_out_what_cannot_be_and_says_so(run, folder, store):
    frame = pd.read_parquet(folder / "BTC_5m.parquet")
    frame.loc[7, "close"] = np.nan
    frame.to_parquet(folder / "BTC_5m.parquet")
    code, out, _ = run("import", folder, "--store", store)
    assert code == 0
    assert "BTC_5m.parquet: 1 of 590 bars left out: that of 2025-01-01 00:35 has a price that is not finite" in out
    assert len(Store(store).load("BTC", 300)) == 589


def test_an_amended_bar_stays_as_it_was_and_blocks_nothing(run, folder, store):
    run("import", folder, "--store", store)
    frame = pd.read_parquet(folder / "BTC_5m.parquet")
    frame.loc[7, "close"] = frame.loc[7, "high"]
    later = frame.tail(1).assign(timestamp=frame["timestamp"].iloc[-1] + pd.Timedelta("5m"))
    pd.concat([frame, later]).to_parquet(folder / "BTC_5m.parquet")
    code, out, _ = run("import", folder, "--store", store)
    assert code == 0
    assert "1 of 590 known bars came changed and stay as they were: the bar of 2025-01-01 00:35 is stored" in out
    assert "1 new bars in" in out
    assert_equal(Store(store).load("BTC", 300).slice(0, 590), Store(store).load("XAU", 300))


def test_one_file_that_cannot_be_read_costs_no_other(run, folder, store):
    (folder / "BTC_5m.parquet").write_bytes(b"nonsense")
    code, out, err = run("import", folder, "--store", store)
    assert code == 2
    assert "XAU 5m (files): 590 bars" in out
    assert err.startswith(f"error: cannot read {folder / 'BTC_5m.parquet'}")
    assert err.count("\n") == 1


def test_info_lists_every_series(run, folder, store):
    run("import", folder, "--store", store)
    code, out, _ = run("info", "--store", store)
    assert code == 0
    header, *rows = (line.split() for line in out.splitlines())
    assert header == ["asset", "venue", "bar", "first", "last", "bars", "gaps", "longest", "coverage"]
    assert [row[:3] for row in rows] == [["BTC", "files", "5m"], ["XAU", "files", "5m"]]
    assert rows[0][3:] == ["2025-01-01", "00:00", "2025-01-03", "01:55", "590", "1", "50m", "98.33%"]


def test_verify_names_every_damaged_file_and_fails(run, folder, store):
    run("import", folder, "--store", store)
    code, out, _ = run("info", "--store", store, "--verify")
    assert (code, out) == (0, f"6 files in {store} are sound\n")
    for day in ("BTC/files/300s/2025-01-01", "XAU/files/300s/2025-01-03"):
        path = store / f"{day}.parquet"
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    code, out, err = run("info", "--store", store, "--verify")
    assert code == 2
    assert [line.partition(".parquet")[0][-25:] for line in out.splitlines()] == [
        "BTC/files/300s/2025-01-01",
        "XAU/files/300s/2025-01-03",
    ]
    assert err == f"error: 2 of 6 files in {store} are damaged\n"


def test_simulate_has_perpetuals(run, store):
    code, out, _ = run("simulate", "--store", store, "--assets", "XAU", "--days", 3, "--round-the-clock")
    assert (code, "XAU 5m (simulated): 864 bars, 864 new" in out) == (0, True)


def test_simulate_repeats_and_extends(run, store):
    options = ("--store", store, "--assets", "BTC,SP500", "--seed", 3)
    code, out, _ = run("simulate", *options, "--days", 3)
    assert code == 0
    assert "BTC 5m (simulated): 864 bars, 864 new" in out
    assert "nothing new" in run("simulate", *options, "--days", 3)[1]
    assert "BTC 5m (simulated): 1,152 bars, 288 new" in run("simulate", *options, "--days", 4)[1]
    run("simulate", *options, "--days", 1, "--resolution", "1m")
    assert len(Store(store).load("BTC", 60)) == 1440
    code, _, err = run("simulate", "--store", store, "--days", 3, "--seed", 4)
    assert code == 2
    assert "the store never changes a bar" in err


def test_download_stores_reports_and_goes_on(run, store, venues):
    start = pd.Timestamp(NOW - 2 * DAY, unit="s").strftime("%Y-%m-%d")
    hole = NOW // DAY * DAY - 3600
    venues.faults(missing=[hole, hole + 60])
    options = ("--assets", "BTC,XAU", "--resolution", "1m", "--start", start, "--store", store)
    code, out, err = run("download", *options, "--end", "2025-11-20")
    assert (code, err) == (0, "")
    assert "downloading BTC 1m from binance" in out
    assert "BTC 1m (binance): 2,878 new bars" in out
    assert out.count("one gap of 2m") == 2
    venues.requests()
    code, out, _ = run("download", *options)
    assert "BTC 1m (binance): 722 new bars" in out
    assert all(int(asked["startTime"]) // 1000 >= hole for asked in venues.requests())
    assert len(Store(store).load("XAU", 60)) == 2878 + 722


def test_download_tells_what_is_gone_and_what_was_never_there(run, store, venues):
    code, out, _ = run(
        "download", *MINUTES, "--assets", "XAU", "--start", "2025-11-10", "--end", "2025-11-18", "--store", store
    )
    assert code == 0
    assert "hyperliquid no longer has 2025-11-10 00:00 to 2025-11-17 00:53" in out
    code, out, _ = run(
        "download", *MINUTES, "--assets", "BTC", "--start", "2024-01-01", "--end", "2024-01-02", "--store", store
    )
    assert code == 0
    assert "BTC 1m (binance): 0 new bars" in out
    assert "no bar of this span" in out


def test_download_brings_what_the_search_of_a_competition_asks_for(run, store, venues):
    code, out, _ = run("download", "--last", "3 days", "--store", store)
    assert code == 0
    series = {(s.asset, s.resolution) for s in Store(store).series()}
    assert series == {(asset, 300) for asset in ("BTC", "ETH", "SOL", "XRP", "HYPE")}
    assert Store(store).load("BTC", 300).time[0] == NOW // DAY * DAY - 3 * DAY
    code, out, _ = run("download", "--competition", "crypto-1h", "--last", "1 day", "--assets", "BTC", "--store", store)
    assert "BTC 1m (binance):" in out


def test_download_brings_every_timeframe(run, store, venues):
    assert run("download", "--timeframe", "all", "--last", "1 day", "--assets", "BTC", "--store", store)[0] == 0
    assert run("download", "--timeframe", "1m", "--last", "1 day", "--assets", "ETH", "--store", store)[0] == 0
    series = {(s.asset, s.resolution) for s in Store(store).series()}
    assert series == {("BTC", 60), ("BTC", 300), ("ETH", 60)}


def test_resample_makes_whole_bars_and_says_what_is_left_out(run, store):
    minutes = make_bars(1440, resolution=60)
    Store(store).append("BTC", "binance", 60, take(minutes, np.arange(1440) != 7))
    code, out, _ = run("resample", "--store", store)
    assert (code, out) == (0, "BTC 5m (binance): 287 bars of 1m, 287 new; 1 left out, not whole\n")
    assert "287 bars of 1m, 0 new" in run("resample", "--store", store)[1]
    assert len(Store(store).load("BTC", 300)) == 287
    code, _, err = run("resample", "--store", store, "--assets", "ETH")
    assert (code, err) == (2, f"error: store {store} holds no 1m bars of ETH\n")
    code, _, err = run("resample", "--store", store, "--from", "5m", "--to", "1m")
    assert (code, err) == (2, "error: bars of 1m cannot be made of bars of 5m\n")


def test_download_brings_the_networks_own_prices(run, store, monkeypatch):
    """Gold round the clock, which Hyperliquid has long forgotten; what is missing of it is told while it comes."""
    market = SimulatedMarket(SimulatedConfig(start="2025-11-17", days=3))
    bars, first, ticks = market.bars("BTC", 60), market.config.epoch, itertools.count(step=3.0)
    grid = {"asset": "XAU", "time_length": DAY, "time_increment": 300}
    prompts = [grid | {"start_time": start} for start in range(first - DAY, first + 3 * DAY, 720)]
    monkeypatch.setattr("time.time", lambda: float(NOW))
    monkeypatch.setattr("time.monotonic", lambda: next(ticks))
    monkeypatch.setattr(http.time, "sleep", lambda seconds: None)
    with synth_server() as server:
        server.table(scores=[], prompts=prompts, closes={"XAU": (first, bars.close.tolist())})
        server.faults(requests_per_second=1000)
        monkeypatch.setenv("SYNTHCITY_SYNTH_API_URL", server.url)
        options = ("--assets", "XAU", "--start", "2025-11-17", "--end", "2025-11-20", "--store", store)
        code, out, err = run("download", "--source", "synth", "--competition", "com-equ-24h", *MINUTES, *options)
        assert (code, err) == (0, "")
        server.requests()
        assert run("download", "--source", "synth", *MINUTES, *options)[0] == 0
        assert len(server.requests()) == 0, "the store holds all of it"
    assert "downloading XAU 1m from synth" in out
    assert re.search(r"^  33% after [\dms ]+, [\dms ]+ left$", out, re.MULTILINE)
    assert "XAU 1m (synth): 4,320 new bars" in out
    np.testing.assert_array_equal(Store(store).load("XAU", 60, "synth").close, bars.close)


def test_download_that_is_refused_keeps_what_came(run, store, venues):
    run("download", *MINUTES, "--assets", "BTC", "--start", "2025-11-18", "--end", "2025-11-19", "--store", store)
    venues.faults(status=451, times=-1)
    code, _, err = run("download", *MINUTES, "--assets", "BTC", "--start", "2025-11-18", "--store", store)
    assert code == 3
    assert "set SYNTHCITY_BINANCE_URL" in err
    assert len(Store(store).load("BTC", 60)) == 1440


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("info", "--store", "{tmp}/none"), "holds no bars; fill it with `synthcity data download`"),
        (("simulate", "--store", "{tmp}/s", "--days", "1000000000"), "days must be at most 36500, got 1000000000"),
        (("import", "{tmp}/none", "--store", "{tmp}/s"), "is no folder"),
        (("simulate", "--store", "{tmp}/s", "--assets", "BTX"), "unknown asset 'BTX'; did you mean 'BTC'?"),
        (("simulate", "--store", "{tmp}/s", "--days", "0"), "days must be at least 1, got 0"),
        (("download", "--assets", "DOGE", "--start", "2025-11-18", "--store", "{tmp}/s"), "unknown asset 'DOGE'"),
        (("download", "--assets", "BTC", "--start", "soon", "--store", "{tmp}/s"), "'soon' is no time"),
        (("download", "--assets", "BTC", "--start", "2099-01-01", "--store", "{tmp}/s"), "nothing to download"),
        (("download", "--assets", "BTC", "--start", "2025-11-18"), "Missing option '--store'"),
        (("download", "--store", "{tmp}/s"), "say since when: either --start DATE or --last SPAN"),
        (("download", "--last", "a while", "--store", "{tmp}/s"), "'last a while' is no span"),
        (("download", "--last", "3 days", "--competition", "crypto-2h", "--store", "{tmp}/s"), "unknown competition"),
        (("import", "{tmp}", "--store", "{tmp}/s", "--venue", "a/b"), "no price file"),
    ],
)
def test_nonsense_is_refused_with_exit_code_2(run, tmp_path, arguments, message):
    code, out, err = run(*(argument.replace("{tmp}", str(tmp_path)) for argument in arguments))
    assert (code, out) == (2, "")
    assert message in err


@pytest.mark.parametrize("name", ["import", "download", "info", "resample", "simulate"])
def test_help_teaches_with_examples(run, name):
    code, out, _ = run(name, "--help")
    assert code == 0
    assert f"synthcity data {name}" in out.split("Example", 1)[1]


def test_looking_at_help_loads_nothing_heavy():
    script = (
        "import sys; sys.argv[1:] = ['data', '--help']\n"
        "from synthcity.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: print([m for m in ('numpy', 'pandas', 'pyarrow', 'httpx', 'rich') if m in sys.modules])"
    )
    env = os.environ | {"PYTHONPATH": "."}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=env)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.real_data
def test_real_prices_import(run, store):
    folder = Settings.load().real_data
    if not folder:
        pytest.skip("SYNTHCITY_REAL_DATA is not set")
    code, out, _ = run("import", folder, "--store", store)
    assert code == 0
    assert "README.md" in out
    bars = Store(store).load("BTC", 300)
    assert len(bars) == 105_408
    np.testing.assert_array_equal(bars.close, pd.read_parquet(f"{folder}/BTC_5m.parquet")["close"])
    assert "nothing new" in run("import", folder, "--store", store)[1]
