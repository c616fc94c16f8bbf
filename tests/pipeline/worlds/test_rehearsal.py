"""The stand-ins: a market that goes on, and whose miner it may be."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from synthcity.durations import DAY
from synthcity.errors import ConfigError
from synthcity.market.store import open_store
from synthcity.pipeline.config import Opening, load_pipeline
from synthcity.pipeline.state import State
from synthcity.pipeline.worlds.rehearsal import Rehearsal, check_rehearsal
from synthcity.publish.standin.shelf import MARK

FILE = Path(__file__).parents[3] / "configs" / "quickstart-pipeline.yaml"


@pytest.fixture
def opening(tmp_path: Path) -> Opening:
    return load_pipeline(FILE, deploy=str(tmp_path / "miner"))


def test_the_market_goes_on_as_far_as_was_waited_for(opening: Opening) -> None:
    world, sweep = Rehearsal(opening), opening.sweeps["crypto-24h"]
    first = world.fresh(sweep, State())
    later = world.fresh(sweep, State(clock=first.end + 19.5 * DAY))
    assert (later.end - first.end, later.start > first.start) == (19 * DAY, True)
    assert later.changes["simulated"]["days"] == first.changes["simulated"]["days"] + 19  # type: ignore[index]
    world.wait(first.end + 1e9)  # at once
    assert world.hub().is_standin
    assert world.looked_until(sweep) is None


def test_a_miner_of_validators_is_no_place_for_it(opening: Opening, tmp_path: Path) -> None:
    check_rehearsal(opening)
    (tmp_path / "miner").mkdir()
    (tmp_path / "miner" / "champion.json").touch()
    with pytest.raises(ConfigError, match="belongs to no rehearsed miner, and these prices are SIMULATED"):
        check_rehearsal(opening)
    (tmp_path / "miner" / MARK).touch()
    check_rehearsal(opening)


def test_its_prices_can_be_trained_on_again_from_a_store(opening: Opening, tmp_path: Path) -> None:
    world, sweep = Rehearsal(replace(opening, folder=tmp_path)), opening.sweeps["crypto-24h"]
    assert world.first(sweep) == dict.fromkeys(["BTC", "ETH"], sweep.config.data.simulated.epoch)
    short = replace(sweep, config=replace(sweep.config, data=replace(sweep.config.data, assets=("BTC",))))
    end = sweep.config.data.simulated.epoch + 3 * DAY
    world.now = lambda state: end  # type: ignore[method-assign]
    store = open_store(world.store(short, State()))
    [series] = store.series()
    assert (series.asset, series.venue, series.resolution) == ("BTC", "simulated", 300)
    world.now = lambda state: end + DAY  # type: ignore[method-assign]
    world.store(short, State())
    assert store.span(series)[1] - store.span(series)[0] == 4 * DAY
