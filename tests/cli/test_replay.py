"""``synthcity replay`` from a store and a stand-in of the network's API to a table of 80 columns."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from synthcity.cli.main import cli
from synthcity.errors import ConfigError, DataError
from synthcity.forecast.baselines import baseline
from synthcity.forecast.bundles.facts import Facts
from synthcity.market.periods import Period
from synthcity.market.simulated import SimulatedConfig, SimulatedMarket
from synthcity.market.sources import synthapi
from synthcity.market.store import Store
from synthcity.market.venues.http import Patience
from synthcity.market.venues.official import official_venue
from synthcity.sn50.competitions import get_competition
from tests.market.sources.test_synthapi import prompt as prompt_row
from tests.market.sources.test_synthapi import row
from tests.standins.synthdata import SynthServer, synth_server

DAY, HOUR = 86400, 3600
HOURLY, DAILY = get_competition("crypto-1h"), get_competition("crypto-24h")
MARKET = SimulatedMarket(SimulatedConfig(seed=5, start="2025-11-10", days=12))
END = MARKET.config.epoch + 11 * DAY
UNTIL = ("--until", "2025-11-21")
STARTS = [END - 4 * HOUR - 7200 * k for k in range(6)]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("replay") / "store"
    for asset in HOURLY.assets:
        Store(folder).append(asset, official_venue(asset).name, 60, MARKET.bars(asset, 60))
    return folder


@pytest.fixture(scope="module")
def server() -> Iterator[SynthServer]:
    with synth_server() as running:
        running.faults(requests_per_second=1000)
        longer = range(MARKET.config.epoch + 8 * DAY, END, 720)
        prompts = [prompt_row(start, asset) for start in STARTS for asset in HOURLY.assets]
        prompts += [prompt_row(start, asset, DAILY) for start in longer for asset in HOURLY.assets]
        running.table(
            scores=[
                row(start + HOUR + 200, miner, 300.0 + 400 * miner, asset)
                for start in STARTS
                for asset in HOURLY.assets
                for miner in range(12)
            ],
            prompts=prompts,
            closes={asset: (MARKET.config.epoch, MARKET.bars(asset, 60).close.tolist()) for asset in HOURLY.assets},
        )
        yield running


@pytest.fixture
def run(server: SynthServer, store: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setenv("SYNTHCITY_SYNTH_API_URL", server.url)
    monkeypatch.setattr(synthapi, "_PATIENCE", Patience(attempts=2, first_wait_seconds=0.01, pause_seconds=0))

    def call(*words: object, data: Path = store) -> Result:
        return CliRunner().invoke(cli, ["replay", *map(str, words), "--data", str(data)])

    return call


def test_it_shows_the_place_and_says_what_the_share_is_of(run, store):
    result = run("trailing", "--competition", "crypto-1h", "--days", 1, *UNTIL)
    assert result.exception is None, result.exception
    lines = result.stdout.splitlines()
    assert lines[0] == "trailing among the real miners, window until 2025-11-21 00:00 UTC, rules 2026-09"
    assert lines[1].split() == ["competition", "rank", "average", "best", "median", "share", "prompts"]
    assert max(map(len, lines)) <= 80
    assert lines[2].split()[2:4] == ["of", "13"]
    assert lines[2].split()[-1] == "30"
    assert "crypto-1h: 1 of the 5 days that the network averages over" in lines
    assert "Share is an estimate of the part of each competition's pay, " in " ".join(lines)
    kept = Store(store).times("BTC", "synth", 60, END - DAY, END)
    assert set(kept.tolist()) >= {*range(END - DAY, END - 2 * HOUR, 60)}, "the next replay need not ask for them"


def test_as_json_it_tells_everything_and_twice_the_same(run):
    words = ("trailing", "--competition", "crypto-1h", "--days", 1, "--json", *UNTIL)
    found, again = (json.loads(run(*words).stdout) for _ in range(2))
    assert found == again
    (one,) = found["competitions"]
    rank = one["estimate"]["rank"]
    assert (rank["num_miners"], rank["num_prompts"], one["num_lost"]) == (13, 30, 0)
    assert found["share_of_all_pay"] == pytest.approx(rank["share"] / 3)
    assert (found["bundle"], found["until"], found["days"], found["warnings"]) == ("trailing", END, 1, [])


def refused(result: Result, error: type[Exception]) -> str:
    assert isinstance(result.exception, error), result.output
    return str(result.exception)


def test_what_cannot_be_estimated_is_refused_before_anything_is_fetched(run, server, tmp_path):
    server.requests()
    period = {name: Period(start=END - 9 * DAY, end=END - 5 * DAY) for name in ("train", "validation", "test")}
    for name, venue, assets in (("known", "binance", HOURLY.assets), ("unreal", "simulated", HOURLY.assets)):
        facts = Facts(venues=(venue,), competition="crypto-1h", rules="2026-09", assets=assets, periods=period)
        baseline("trailing").save(tmp_path / name, manifest=facts.to_manifest())
    hourly = ("--competition", "crypto-1h", *UNTIL)
    known = run(tmp_path / "known", *hourly, "--days", 5)
    assert "has nothing to show on days that it knows" in refused(known, ConfigError)
    assert "was trained on SIMULATED prices" in refused(run(tmp_path / "unreal", *hourly), ConfigError)
    assert "longer than the 5 days that the network averages over" in refused(run("fhs", *hourly), ConfigError)
    assert "unknown competition 'crypto-2h'" in refused(run("fhs", "--competition", "crypto-2h"), ConfigError)
    told = refused(run("trailing", *hourly, "--days", 5, data=tmp_path), DataError)
    assert "fill it by `synthcity data download --competition crypto-1h --resolution all" in told
    assert server.requests() == []


def test_prices_that_are_far_from_whole_are_no_prices_of_then(run, tmp_path):
    bars = MARKET.bars("BTC", 60)
    Store(tmp_path).append("BTC", "binance", 60, bars.slice(0, int(np.searchsorted(bars.time, END - DAY))))
    told = refused(run("trailing", "--competition", "crypto-1h", "--days", 1, *UNTIL, data=tmp_path), DataError)
    assert told.startswith("replay needs 1m bars of BTC (binance) from 2025-11-19 23:00 on, and some weeks before; ")
    assert "ends on 2025-11-20 00:00" in told
