"""The stand-ins: a market that goes on, and a miner that answers nobody."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from synthcity.durations import DAY
from synthcity.errors import ConfigError
from synthcity.forecast.bundles.choose import identify
from synthcity.market.simulated import SimulatedMarket
from synthcity.pipeline.config import Opening, load_pipeline
from synthcity.pipeline.state import State
from synthcity.pipeline.worlds import rehearsal as module
from synthcity.pipeline.worlds.rehearsal import Rehearsal, RehearsedMiner, check_rehearsal
from synthcity.publish.standin.shelf import MARK
from synthcity.serve.settlement.offer import Offer, lost
from synthcity.serve.settlement.succession import Succession
from tests.pipeline.standin import made_bundle
from tests.serve.settlement.test_challenge import START, race

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


@pytest.fixture
def miner(opening: Opening, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RehearsedMiner:
    """One that is offered a bundle, which is said to be made on a simulated market."""
    bundle = made_bundle(tmp_path / "bundle")
    found = RehearsedMiner(tmp_path / "miner", opening.sweeps["crypto-24h"])
    Offer(folder=str(bundle), bundle=identify(str(bundle)), reason="proven").write(tmp_path / "miner")
    monkeypatch.setattr(module, "is_simulated", lambda facts: True)
    return found


def _scored(monkeypatch: pytest.MonkeyPatch, lead: float) -> None:
    """Let both score as in a made-up race; it is of one hour, as is the bundle."""
    hour = module.get_competition("crypto-1h")
    monkeypatch.setattr(module, "get_competition", lambda name, rules=None: hour)

    def scores(self: RehearsedMiner, who: Succession, pair: tuple[str, str], *_: object) -> pd.DataFrame:
        return race(20, lead).replace({"bundle": {"old": pair[0], "new": pair[1]}})

    monkeypatch.setattr(RehearsedMiner, "_scores", scores)


def test_it_takes_a_challenger_and_promotes_by_the_same_verdict(
    miner: RehearsedMiner, monkeypatch: pytest.MonkeyPatch
) -> None:
    _scored(monkeypatch, 0.05)
    found = miner.look(START + 30 * DAY)
    assert (found.named, found.started) == ("fhs", "fhs")
    assert found.champion == found.challenger
    assert found.reason.startswith("REHEARSAL crypto-1h: the challenger is better: ")
    assert miner.look(START + 30 * DAY) == found


def test_a_challenger_that_loses_is_written_down_once(
    miner: RehearsedMiner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _scored(monkeypatch, -0.05)
    offer = Offer.read(tmp_path / "miner")
    assert offer is not None
    assert miner.look(START + 30 * DAY).champion == "fhs"
    assert "the challenger is worse" in str(lost(tmp_path / "miner" / "ledger", offer.bundle, "crypto-1h"))
    miner.look(START + 40 * DAY)
    assert len((tmp_path / "miner" / "ledger" / "challenges.jsonl").read_text().splitlines()) == 1


def test_what_was_made_on_real_prices_is_no_rehearsal(opening: Opening, tmp_path: Path) -> None:
    bundle = made_bundle(tmp_path / "bundle")
    miner = RehearsedMiner(tmp_path / "miner", opening.sweeps["crypto-24h"])
    Offer(folder=str(bundle), bundle=identify(str(bundle)), reason="").write(tmp_path / "miner")
    with pytest.raises(ConfigError, match="it is no rehearsal"):
        miner.look(START)


def test_both_answer_the_prompts_of_the_days_since(opening: Opening, tmp_path: Path) -> None:
    sweep = opening.sweeps["crypto-24h"]
    miner = RehearsedMiner(tmp_path / "miner", sweep)
    took = sweep.config.data.simulated.epoch + 40 * DAY
    (tmp_path / "miner" / "took.json").write_text(str(took))
    who = Succession(named="reference", challenger="trailing", champion="reference", reason="")
    pair, competition = ("baseline:reference", "baseline:trailing"), module.get_competition("crypto-24h")
    assert miner._scores(who, pair, competition, took).empty
    found = miner._scores(who, pair, competition, took + 2 * DAY + 5)
    assert set(found["bundle"]) == set(pair)
    assert found["start_time"].between(took, took + 2 * DAY).all()
    assert (found["total"] > 0).all()
    assert isinstance(SimulatedMarket(sweep.config.data.simulated), SimulatedMarket)
