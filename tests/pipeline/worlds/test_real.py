"""Real prices, as far as a store on this machine goes."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from synthcity.durations import DAY
from synthcity.errors import ConfigError, SourceError
from synthcity.market.simulated import SimulatedConfig, SimulatedMarket
from synthcity.market.store import open_store
from synthcity.pipeline.config import Opening, load_pipeline
from synthcity.pipeline.state import State
from synthcity.pipeline.worlds.real import Real, check_real
from synthcity.publish.standin.shelf import MARK
from synthcity.settings import Settings

NONE = Settings.load({})


@pytest.fixture
def opening(tmp_path: Path) -> Opening:
    (tmp_path / "sweep.yaml").write_text(
        f"competition: crypto-24h\noutput: {tmp_path / 'runs'}\n"
        f"data: {{source: store, path: {tmp_path / 'store'}, assets: [BTC], periods: last 12 months}}\n"
    )
    (tmp_path / "pipeline.yaml").write_text("sweeps: [sweep.yaml]\nperiods: last 12 days\ndownload: false\n")
    return load_pipeline(tmp_path / "pipeline.yaml")


def _fill(folder: Path, ends: float) -> None:
    start = time.strftime("%Y-%m-%d", time.gmtime(ends - 14 * DAY))
    bars = SimulatedMarket(SimulatedConfig(start=start, days=14)).bars("BTC", 300)
    open_store(str(folder / "store")).append("BTC", "binance", 300, bars)


def test_prices_reach_to_the_last_whole_day_of_the_store(opening: Opening, tmp_path: Path) -> None:
    now = time.time()
    _fill(tmp_path, now)
    world, sweep = Real(opening.config, NONE), opening.sweeps["crypto-24h"]
    found = world.fresh(sweep, State())
    assert (found.start, found.end) == (now // DAY * DAY - 12 * DAY, now // DAY * DAY)
    assert found.assets == ("BTC",)
    assert world.looked_until(sweep) is None
    assert abs(world.now(State()) - now) < 60


def test_late_prices_are_trouble_that_passes(opening: Opening, tmp_path: Path) -> None:
    _fill(tmp_path, time.time() - 6 * DAY)
    with pytest.raises(SourceError, match="are late: the newest whole day ended on"):
        Real(opening.config, NONE).fresh(opening.sweeps["crypto-24h"], State())


def test_what_is_missing_is_told_before_anything_is_started(opening: Opening, tmp_path: Path) -> None:
    check_real(opening.config, NONE)
    path = tmp_path / "pipeline.yaml"
    with pytest.raises(ConfigError, match="HF_REPO_ID"):
        check_real(load_pipeline(path, publish=True).config, NONE)
    with pytest.raises(ConfigError, match="name the --state of a miner"):
        check_real(load_pipeline(path, deploy=str(tmp_path / "none")).config, NONE)
    (tmp_path / "miner").mkdir()
    check_real(load_pipeline(path, deploy=str(tmp_path / "miner")).config, NONE)
    (tmp_path / "miner" / MARK).touch()
    with pytest.raises(ConfigError, match="is of a rehearsed miner, and these prices are real"):
        check_real(load_pipeline(path, deploy=str(tmp_path / "miner")).config, NONE)
    assert not Real(opening.config, Settings.load({"HF_TOKEN": "hf_x", "HF_REPO_ID": "me/it"})).hub().is_standin
