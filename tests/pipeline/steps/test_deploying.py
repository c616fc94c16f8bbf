"""From a proven bundle to an offer, and what became of those before."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from synthcity.forecast.bundles.bundle import load
from synthcity.forecast.bundles.choose import identify
from synthcity.forecast.bundles.suitability import facts_of
from synthcity.lines import append_line
from synthcity.pipeline.events import Crowned, Judged, Told
from synthcity.pipeline.state import Round, State
from synthcity.pipeline.steps.deploying import answering, crowned, is_racing, offer_challenger
from synthcity.serve.settlement.offer import Offer
from synthcity.serve.settlement.succession import Succession
from synthcity.sn50.prompt import Prompt
from tests.pipeline.standin import began, made_bundle

HOUR, DAY = {"time_length": 3600, "time_increment": 60}, {"time_length": 86400, "time_increment": 300}


@pytest.fixture
def winner(tmp_path: Path) -> Path:
    return made_bundle(tmp_path / "run" / "winner")


@pytest.fixture
def miner(tmp_path: Path) -> Path:
    (tmp_path / "miner").mkdir()
    Succession(named="fhs", challenger=None, champion="fhs", reason="").write(tmp_path / "miner")
    return tmp_path / "miner"


def _open(competition: str = "crypto-1h", **changes: object) -> State:
    return State(rounds=(Round(began=began(competition=competition), time=0.0),), **changes)  # type: ignore[arg-type]


def test_a_bundle_is_copied_and_offered_once(winner: Path, miner: Path) -> None:
    told = offer_challenger(miner, _open(), winner, "proven")
    assert offer_challenger(miner, _open(), winner, "proven") == told
    offer = Offer.read(miner)
    assert offer == Offer(folder=told.folder, bundle=told.bundle, reason="proven")
    assert told.bundle == identify(str(winner)) == identify(told.folder)
    assert Path(told.folder).parent == miner / "bundles"


@pytest.mark.parametrize("passed", [True, False])
def test_what_proved_nothing_is_offered_on_trial(winner: Path, miner: Path, passed: bool) -> None:
    judged = Judged(round=1, passed=passed, reason="", on_trial=not passed)
    state = State(rounds=(replace(_open().rounds[0], judged=judged),))
    offer_challenger(miner, state, winner, "it leads")
    offer = Offer.read(miner)
    assert offer is not None
    assert offer.on_trial is not passed


def test_the_journal_names_the_miner_wherever_it_is_read(
    winner: Path, miner: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(miner.parent)
    told = offer_challenger(Path("miner"), _open(), winner, "proven")
    assert (told.state, Path(told.folder).parent) == (str(miner), miner / "bundles")


def test_what_answers_elsewhere_goes_on_to_do_so(winner: Path, miner: Path, tmp_path: Path) -> None:
    parts = ("crypto-24h:BTC=fhs",)
    before = Crowned(competition="crypto-24h", folder=str(tmp_path / "old"), bundle="b", reason="", parts=parts)
    Succession(named=before.folder, challenger=None, champion=before.folder, reason="").write(miner)
    told = offer_challenger(miner, _open(champions={"crypto-24h": before}), winner, "proven")
    assert told.parts == (f"crypto-1h:BTC={winner.absolute()}", "crypto-24h:BTC=fhs")
    both = load(told.folder)
    assert [both.covers(Prompt(asset="BTC", start_time=0, **grid)) for grid in (HOUR, DAY)] == [True, True]  # type: ignore[attr-defined,arg-type]
    assert [one.competition for one in facts_of(told.folder)] == ["crypto-1h"]


def test_a_race_goes_on_until_a_verdict_or_a_hand(winner: Path, miner: Path) -> None:
    told = offer_challenger(miner, _open(), winner, "proven")
    state = _open().after(Told(event=told, time=0.0))
    assert is_racing(miner, state)
    assert crowned(miner, state) == []
    verdict = {"challenger": told.bundle, "decision": "keep", "reason": "worse", "competition": "crypto-1h"}
    append_line(miner / "ledger" / "challenges.jsonl", verdict)
    assert not is_racing(miner, state)
    Succession(named="fhs", challenger=told.folder, champion=told.folder, reason="by hand").write(miner)
    assert answering(miner) == told.folder
    [crown] = crowned(miner, state)
    assert (crown.competition, crown.bundle, crown.reason) == ("crypto-1h", told.bundle, "by hand")
    assert crowned(miner, replace(state, champions={"crypto-1h": crown})) == []
    assert not is_racing(miner, state)


def test_a_verdict_elsewhere_ends_no_race_and_who_was_taken_back_has_none(winner: Path, miner: Path) -> None:
    told = offer_challenger(miner, _open(), winner, "proven")
    state = _open().after(Told(event=told, time=0.0))
    verdict = {"challenger": told.bundle, "decision": "keep", "reason": "no race", "competition": "crypto-24h"}
    append_line(miner / "ledger" / "challenges.jsonl", verdict)
    assert is_racing(miner, state)
    append_line(miner / "ledger" / "challenges.jsonl", {**verdict, "competition": "crypto-1h", "decision": "promote"})
    assert is_racing(miner, state), "it has won and waits for a hand"
    Succession(named="fhs", challenger=told.folder, champion=told.folder, reason="won").write(miner)
    [crown] = crowned(miner, state)
    Succession(named="fhs", challenger=told.folder, champion="fhs", reason="taken back").write(miner)
    assert not is_racing(miner, replace(state, champions={"crypto-1h": crown}))


def test_what_the_miner_declined_or_another_took_the_place_of_has_no_race(winner: Path, miner: Path) -> None:
    told = offer_challenger(miner, _open(), winner, "proven")
    state = _open().after(Told(event=told, time=0.0))
    offer = Offer.read(miner)
    assert offer is not None
    offer.decline(miner, "it holds code")
    assert not is_racing(miner, state)
    Succession(named="fhs", challenger=told.folder, champion="fhs", reason="").write(miner)
    assert is_racing(miner, state), "a restart took it after all"
    Succession(named="fhs", challenger="har", champion="fhs", reason="").write(miner)
    assert not is_racing(miner, state)
    (miner / "declined.jsonl").unlink()
    assert is_racing(miner, state), "it waits for the race that goes on"
    Offer(folder="ewma", bundle="baseline:ewma", reason="").write(miner)
    assert not is_racing(miner, state)


def test_without_a_deployment_there_is_no_race(miner: Path) -> None:
    assert not is_racing(miner, _open())
    assert crowned(miner, _open()) == []
    assert answering(miner / "none") is None
