"""What turns up at a place is offered to a running miner, once and never to validators."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest

from synthcity.errors import BundleError, ConfigError
from synthcity.forecast.bundles.choose import identify
from synthcity.forecast.bundles.facts import SIMULATED
from synthcity.forecast.bundles.suitability import facts_of, refuse_simulated
from synthcity.serve.challengers.candidacy import keep, parts_of
from synthcity.serve.challengers.watch import Watch
from synthcity.serve.settlement.offer import Offer
from synthcity.serve.settlement.succession import Succession
from synthcity.vault import open_vault, push_bundle
from tests.forecast.bundles.test_facts import bundle, facts
from tests.waiting import until


@pytest.fixture
def state(tmp_path: Path) -> Path:
    (tmp_path / "state").mkdir()
    Succession(named="fhs", challenger=None, champion="fhs", reason="").write(tmp_path / "state")
    return tmp_path / "state"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "place").mkdir()
    return tmp_path / "place"


def watch(place: Path | str, state: Path, wants: bool = True) -> Watch:
    return Watch(str(place), state, lambda: wants, refuse_simulated)


def put(place: Path, name: str, time: int, venue: str = "") -> Path:
    made = bundle(place / name, facts(venue or name))
    os.utime(made / "manifest.json", (time, time))
    return made


def test_the_newest_is_copied_and_offered_once(place: Path, state: Path) -> None:
    found = watch(place, state)
    assert found.look() is None
    put(place, "old", 10)
    made = put(place, "new", 20)
    offer = found.look()
    assert offer == Offer.read(state)
    assert offer is not None
    assert (Path(offer.folder).parent, offer.bundle) == (state / "bundles", identify(str(made)))
    assert (offer.reason, offer.from_place) == (f"the newest bundle of {place}", True)
    assert watch(place, state).look() is None, "another process knows, too, and does not turn to older ones"
    put(place, "newer", 30)
    later = found.look()
    assert later is not None
    assert later.folder != offer.folder


def test_what_the_champion_answers_elsewhere_stays_with_it(place: Path, state: Path, tmp_path: Path) -> None:
    champion = bundle(tmp_path / "champion", facts("binance", competition="crypto-1h"))
    Succession(named=str(champion), challenger=None, champion=str(champion), reason="").write(state)
    put(place, "new", 20)
    offer = watch(place, state).look()
    assert offer is not None
    assert {one.competition for one in facts_of(offer.folder)} == {"crypto-24h", "crypto-1h"}


def answers(state: Path, champion: Path | str, challenger: str | None = None) -> None:
    Succession(named=str(champion), challenger=challenger, champion=str(champion), reason="").write(state)


def test_what_is_at_work_is_no_challenger_and_hides_none(place: Path, state: Path, tmp_path: Path) -> None:
    older = put(place, "older", 10)
    answers(state, put(place, "champion", 20))
    offer = watch(place, state).look()
    assert offer is not None
    assert offer.bundle == identify(str(older))
    answers(state, "fhs", challenger=str(place / "champion"))
    assert watch(place, state).look() is None, "and that one had its turn"


def test_a_part_of_what_answers_is_no_challenger(place: Path, state: Path, tmp_path: Path) -> None:
    made = put(place, "new", 20)
    old = bundle(tmp_path / "old", facts("binance", competition="crypto-1h"))
    champion = keep(state, made, parts_of(made, str(old)))
    answers(state, champion)
    assert watch(place, state).look() is None
    told = json.loads((champion / "manifest.json").read_text())
    for part in told["parts"]:  # as bundles were combined before
        del part["bundle"]
    (champion / "manifest.json").write_text(json.dumps(told))
    assert watch(place, state).look() is None
    made.rename(place / "moved")
    assert watch(place, state).look() is not None, "nothing tells that it is the same"


def test_nothing_is_offered_while_another_is_judged(place: Path, state: Path) -> None:
    put(place, "new", 20)
    assert watch(place, state, wants=False).look() is None
    assert Offer.read(state) is None


def test_who_offers_meanwhile_is_not_overwritten(place: Path, state: Path) -> None:
    put(place, "new", 20)
    offer = Offer(folder="har", bundle="baseline:har", reason="proven")
    found = Watch(str(place), state, lambda: Offer.read(state) is None, lambda name: offer.write(state))
    assert found.look() is None
    assert Offer.read(state) == offer
    (state / "challenger.json").unlink()
    later = Watch(str(place), state, lambda: Offer.read(state) is None, str).look()
    assert later is not None, "and it has its turn later"


def test_what_may_not_race_is_told_and_the_next_one_is_taken(place: Path, state: Path) -> None:
    good = put(place, "good", 10)
    put(place, "made-up", 20, SIMULATED)
    found = watch(place, state)
    offer = found.look()
    assert offer is not None
    assert offer.bundle == identify(str(good))
    assert found.look() is None
    assert "made-up does not race: " in str(found.problem)
    assert "SIMULATED" in str(found.problem)


def test_one_that_is_still_being_copied_waits(place: Path, state: Path) -> None:
    made = put(place, "new", 20)
    config = (made / "config.json").rename(made / "config.part")
    found = watch(place, state)
    assert found.look() is None
    assert "config.json is missing" in str(found.problem)
    config.rename(made / "config.json")
    assert found.look() is not None
    assert found.problem is None


def test_one_that_stays_damaged_hides_none(place: Path, state: Path) -> None:
    older, made = put(place, "older", 10), put(place, "new", 20)
    whole = (made / "config.json").read_text()
    (made / "config.json").write_text("{}")
    found = watch(place, state)
    assert found.look() is None, "it may be being copied"
    offer = found.look()
    assert offer is not None
    assert offer.bundle == identify(str(older))
    assert "config.json differs from its hash" in str(found.problem)
    (made / "config.json").write_text(whole)
    later = found.look()
    assert later is not None
    assert later.bundle == identify(str(made))


def test_what_does_not_race_is_all_told_and_pulled_but_once(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = open_vault(str(tmp_path / "vault"))
    for name in ("good", "damaged", "made-up"):
        made = bundle(tmp_path / name, facts(SIMULATED if name == "made-up" else "binance", rules=name))
        push_bundle(vault, made)
    damaged = identify(str(tmp_path / "damaged"))
    pulled: list[str] = []

    def admit(name: str) -> None:
        pulled.append(identify(name))
        refuse_simulated(name)
        if pulled[-1] == damaged:
            raise BundleError("it cannot be loaded")

    found = Watch(f"vault:{tmp_path / 'vault'}", state, lambda: True, admit)
    assert (found.look(), list((state / "bundles").iterdir())) == (None, []), "and nothing lies about"
    assert found.look() is not None
    assert pulled == [identify(str(tmp_path / name)) for name in ("made-up", "damaged", "good")]
    assert "SIMULATED" in str(found.problem)
    assert "it cannot be loaded" in str(found.problem)


def test_a_vault_is_a_place(state: Path, tmp_path: Path) -> None:
    made = bundle(tmp_path / "made", facts("binance"))
    push_bundle(open_vault(str(tmp_path / "vault")), made)
    offer = watch(f"vault:{tmp_path / 'vault'}", state).look()
    assert offer is not None
    assert offer.bundle == identify(str(made))
    assert [path.name for path in (state / "bundles").iterdir()] == [offer.bundle[:12]], "and nothing half"


def test_it_looks_by_itself_until_it_ends(place: Path, state: Path) -> None:
    put(place, "new", 20)
    with watch(place, state):
        until(lambda: Offer.read(state) is not None)
        assert "watch" in {thread.name for thread in threading.enumerate()}
    assert "watch" not in {thread.name for thread in threading.enumerate()}


def test_a_place_that_cannot_be_is_told_before_anything(state: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no folder"):
        watch(tmp_path / "none", state)
