"""A miner that answers nobody, and decides as one that does."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from synthcity.durations import DAY
from synthcity.errors import ConfigError, RunError
from synthcity.forecast.bundles.choose import identify
from synthcity.forecast.bundles.facts import SIMULATED
from synthcity.pipeline.config import Opening, load_pipeline
from synthcity.pipeline.worlds import rehearsed_miner as module
from synthcity.pipeline.worlds.rehearsed_miner import RehearsedMiner
from synthcity.serve.challengers.tenure import read_tenure
from synthcity.serve.settlement.offer import Offer, lost
from synthcity.serve.settlement.settle import read_scores
from synthcity.serve.settlement.succession import Succession
from tests.forecast.bundles.test_facts import bundle, facts

FILE = Path(__file__).parents[3] / "configs" / "quickstart-pipeline.yaml"
LEDGER = Path("miner", "ledger")


@pytest.fixture
def opening(tmp_path: Path) -> Opening:
    return load_pipeline(FILE, deploy=str(tmp_path / "miner"))


@pytest.fixture
def took(opening: Opening) -> int:
    return opening.sweeps["crypto-24h"].config.data.simulated.epoch + 40 * DAY


@pytest.fixture
def miner(opening: Opening, tmp_path: Path) -> RehearsedMiner:
    """One that is offered a bundle of its market."""
    made = bundle(tmp_path / "bundle", facts(SIMULATED))
    found = RehearsedMiner(tmp_path / "miner", opening.sweeps["crypto-24h"])
    Offer.of(made, "proven").write(tmp_path / "miner")
    return found


def _play(monkeypatch: pytest.MonkeyPatch, lead: float) -> list[int]:
    """Let the challenger lead by a part of every score; return how many prompts were put to both, look by look."""
    asked: list[int] = []

    def backtest(both: list[object], market: object, prompts: list, competition: object) -> object:
        asked.append(len(prompts))
        rows = [
            (one.asset, one.start_time, name.name, (900 + one.start_time // 3600 % 7) * (1 - lead * at))
            for one in prompts
            for at, name in enumerate(both)  # type: ignore[attr-defined]
        ]
        scores = pd.DataFrame(rows, columns=["asset", "start_time", "forecaster", "total"])
        return type("Done", (), {"scores": scores})()

    monkeypatch.setattr(module, "backtest", backtest)
    return asked


def test_it_takes_a_challenger_and_promotes_by_a_miners_verdict(
    miner: RehearsedMiner, took: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = _play(monkeypatch, 0.05)
    assert miner.look(took).challenger == str(tmp_path / "bundle")
    assert miner.look(took + 10 * DAY).champion == "fhs"
    found = miner.look(took + 20 * DAY)
    assert found.champion == found.challenger
    assert found.reason.startswith("REHEARSAL crypto-24h: the challenger is better: ")
    assert found.since == took + 20 * DAY
    assert miner.look(took + 30 * DAY) == found
    assert asked == [2 * (9 * 4 + 1), 2 * 10 * 4], "each prompt once, when it is over"
    told = read_tenure(tmp_path / "miner", took + 20 * DAY)
    assert told is not None
    assert (told.champion, told.challenger, told.since) == (found.champion, "", took + 20 * DAY)


def test_who_answers_and_what_both_earn_can_be_read_while_they_race(
    miner: RehearsedMiner, took: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _play(monkeypatch, 0.05)
    miner.look(took)
    miner.look(took + 10 * DAY)
    told = read_tenure(tmp_path / "miner", took + 10 * DAY)
    assert told is not None
    [race] = told.races
    assert (race.competition, race.decision) == ("crypto-24h", "too early")
    champion, challenger = told.earned
    assert (champion.role, challenger.role) == ("champion", "challenger")
    assert challenger.average == pytest.approx(0.95 * champion.average)
    assert champion.answers == challenger.answers > 0


def test_a_challenger_that_loses_is_written_down_once(
    miner: RehearsedMiner, took: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _play(monkeypatch, -0.05)
    miner.look(took)
    assert miner.look(took + 30 * DAY).champion == "fhs"
    bundle_hash = identify(str(tmp_path / "bundle"))
    assert "the challenger is worse" in str(lost(tmp_path / LEDGER, bundle_hash, "crypto-24h"))
    miner.look(took + 40 * DAY)
    assert len((tmp_path / LEDGER / "challenges.jsonl").read_text().splitlines()) == 1


def test_what_a_kill_left_half_is_made_whole_and_nothing_is_written_twice(
    miner: RehearsedMiner, took: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _play(monkeypatch, 0.0)
    miner.look(took)
    miner.look(took + 5 * DAY)
    path = tmp_path / LEDGER / "scores.jsonl"
    whole = sorted(path.read_text().splitlines())
    path.write_text("\n".join(path.read_text().splitlines()[:-9]) + "\n")
    miner.look(took + 5 * DAY)
    assert sorted(path.read_text().splitlines()) == whole
    miner.look(took + 5 * DAY)
    assert sorted(path.read_text().splitlines()) == whole


@pytest.mark.parametrize("text", [None, "", "soon"])
def test_a_damaged_note_of_the_race_is_one_sentence(miner: RehearsedMiner, took: int, tmp_path: Path, text: str | None):
    miner.look(took)
    path = tmp_path / "miner" / "took.json"
    path.unlink() if text is None else path.write_text(text)
    with pytest.raises(RunError, match="does not say when the challenger came"):
        miner.look(took + 5 * DAY)


def test_what_was_made_on_real_prices_is_no_rehearsal(opening: Opening, tmp_path: Path, took: int) -> None:
    made = bundle(tmp_path / "bundle", facts("binance"))
    miner = RehearsedMiner(tmp_path / "miner", opening.sweeps["crypto-24h"])
    Offer.of(made, "").write(tmp_path / "miner")
    with pytest.raises(ConfigError, match="it is no rehearsal"):
        miner.look(took)


def test_both_answer_the_prompts_of_the_days_since(opening: Opening, tmp_path: Path, took: int) -> None:
    miner = RehearsedMiner(tmp_path / "miner", opening.sweeps["crypto-24h"])
    (tmp_path / "miner" / "took.json").write_text(str(took))
    who = Succession(named="reference", challenger="trailing", champion="reference", reason="")
    miner._answer(who, "trailing", took)
    assert read_scores(tmp_path / LEDGER).empty
    miner._answer(who, "trailing", took + 2 * DAY + 5)
    found = read_scores(tmp_path / LEDGER)
    assert found.groupby("bundle")["sent"].agg(["size", "all"]).to_dict("index") == {
        "baseline:reference": {"size": 10, "all": True},
        "baseline:trailing": {"size": 10, "all": False},
    }
    assert found["start_time"].between(took, took + 2 * DAY).all()
    assert (found["total"] > 0).all()
