"""Who answers: by verdict, by hand, and back when it fails. What is deployed is played by a class of this file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from synthcity.errors import Fatal, RunError
from synthcity.lines import append_line
from synthcity.serve.answering.tally import Status
from synthcity.serve.build import ServeConfig
from synthcity.serve.miner import Miner, start_config
from synthcity.serve.settlement.challenge import TRIAL, ChallengeVerdict, Decision, Pair
from synthcity.serve.settlement.offer import Offer, waits
from synthcity.serve.settlement.settler import Settled, Settler
from synthcity.serve.settlement.succession import CHAMPION, Succession, begin, is_won
from tests.forecast.bundles.test_facts import bundle, facts
from tests.serve.challengers.test_candidacy import again
from tests.serve.conftest import MarketPrices
from tests.serve.dialogue import NOW
from tests.serve.operations.look import counted
from tests.serve.settlement.test_challenge import race, verdict_of

PAIR = {"champion": "baseline:fhs", "challenger": "baseline:ewma"}
WON, LOST, EARLY = (replace(verdict_of(scores), **PAIR) for scores in (race(20, 0.05), race(20, -0.05), race(2)))


class Deployed:
    """Serves nothing; refuses what it is told to."""

    def __init__(self, config: ServeConfig) -> None:
        self.config, self.refused, self.state = config, "", Status(replica=1)

    def status(self) -> Status:
        return self.state

    def roll_out(self, config: ServeConfig) -> None:
        if config.model == self.refused:
            raise Fatal(f"{config.model} does not start")
        self.config = config


def _status(**answers: int) -> Status:
    """Of a replica that answered so often, by why it was the fallback."""
    return Status(replica=2, figures=counted(answers=answers).figures())


@pytest.fixture
def config(tmp_path: Path) -> ServeConfig:
    return ServeConfig(model="fhs", challenger="ewma", store=str(tmp_path / "store"), state=str(tmp_path / "state"))


@pytest.fixture
def deployed(config: ServeConfig) -> Deployed:
    begin(Path(config.state), config.model, config.challenger)
    return Deployed(start_config(config))


@pytest.fixture
def make(config: ServeConfig, deployed: Deployed, prices: MarketPrices, tmp_path: Path):
    def made(*verdicts: ChallengeVerdict, auto: bool = False, admit: Callable[[str], object] | None = None) -> Miner:
        settler = Settler(tmp_path / "state" / "ledger", None, lambda: None)
        settler.latest = Settled(last={}, verdicts=verdicts)
        return Miner(
            config, deployed, prices, settler, assets=["BTC"], auto_promote=auto, admit=admit, clock=lambda: NOW
        )

    return made


def test_a_won_race_is_shown_and_left_to_the_hand(make, deployed: Deployed, config: ServeConfig):
    (note,) = make(WON).look().notes
    assert note.startswith("the challenger has won (crypto-1h: the challenger is better: −")
    assert note.endswith(f"promote it by `synthcity mine promote {config.state}`")
    assert deployed.config == config


def test_a_won_race_is_acted_on_where_that_was_asked_for(make, deployed: Deployed, config: ServeConfig):
    miner = make(WON, auto=True)
    assert miner.race() == Pair("baseline:fhs", "baseline:ewma")
    assert any(note.startswith("ewma answers in place of fhs: crypto-1h: ") for note in miner.look().notes)
    assert (deployed.config.model, deployed.config.challenger, miner.race()) == ("ewma", None, None)
    assert start_config(config).model == "ewma", "a restart goes on with it"
    assert start_config(replace(config, model="garch")).model == "garch", "but not over another bundle"


@pytest.mark.parametrize("verdicts", [(), (EARLY,), (LOST,), (WON, EARLY), (WON, LOST)])
def test_nothing_less_than_a_won_race_promotes(make, deployed: Deployed, verdicts):
    make(*verdicts, auto=True).look()
    assert deployed.config.model == "fhs"


def test_a_race_over_without_proof_elsewhere_does_not_hinder():
    over = replace(verdict_of(race(20)), decision=Decision.KEEP)
    assert over.lead.low < 0 < over.lead.high
    assert is_won([WON, over])


def test_a_hand_promotes_and_takes_back(make, deployed: Deployed, config: ServeConfig):
    miner, state = make(), Path(config.state)
    miner.look()
    Succession.read(state).promoted("by hand").write(state)
    assert "ewma answers in place of fhs: by hand" in miner.look().notes
    Succession.read(state).revoked("by hand").write(state)
    miner.look()
    assert (deployed.config.model, deployed.config.challenger) == ("fhs", "ewma")


def test_a_champion_that_does_not_start_leaves_the_old_one(make, deployed: Deployed, config: ServeConfig):
    deployed.refused = "ewma"
    miner = make(WON, auto=True)
    assert "fhs stays champion: ewma does not start" in miner.look().notes
    deployed.refused = ""
    miner.look()
    assert deployed.config.model == "fhs", "only a hand tries it again"
    assert Succession.read(Path(config.state)).champion == "fhs"


def test_a_champion_that_fails_on_live_prompts_goes_back(make, deployed: Deployed):
    miner = make(WON, auto=True)
    miner.look()
    deployed.state = _status(failed=9)
    miner.look()
    assert deployed.config.model == "ewma", "too few to tell"
    deployed.state = _status(none=4, failed=6)
    assert "fhs answers in place of ewma: it failed on most of its first prompts" in miner.look().notes
    miner.look()
    assert deployed.config.model == "fhs"


def test_prompts_that_a_new_champion_was_not_made_for_do_not_send_it_back(make, deployed: Deployed):
    miner = make(WON, auto=True)
    miner.look()
    deployed.state = _status(none=9, failed=1, foreign=20)
    miner.look()
    assert deployed.config.model == "ewma"
    deployed.state = _status(none=4, failed=6, foreign=20)
    miner.look()
    assert deployed.config.model == "fhs", "6 of its own 10"


def test_a_start_that_fails_leaves_what_a_challenger_has_earned(make, deployed: Deployed, config: ServeConfig):
    make(WON, auto=True).look()
    start_config(replace(config, model="garch", challenger=None))
    assert start_config(config).model == "ewma", "nothing is written before a miner has started"
    begin(Path(config.state), "garch", None)
    assert start_config(config).model == "fhs"


def test_a_damaged_file_is_told_and_changes_nothing(make, deployed: Deployed, config: ServeConfig):
    for text in ('{"named"', "{}", '{"named":"a","challenger":"b","champion":"c","reason":""}', "[" * 200_000):
        (Path(config.state) / CHAMPION).write_text(text)
        (alarm,) = make().look().alarms
        assert alarm.text.endswith("remove it")
        with pytest.raises(RunError, match="does not say who is champion"):
            start_config(config)
    assert deployed.config.model == "fhs"


def _offer(config: ServeConfig, name: str) -> None:
    Offer(folder=name, bundle=f"baseline:{name}", reason="proven").write(Path(config.state))


def _refuse(name: str) -> None:
    raise Fatal(f"{name} was trained on SIMULATED prices")


def test_a_running_miner_takes_a_challenger_into_the_shadow_and_no_further(make, deployed: Deployed, config):
    deployed.config = replace(config, challenger=None)
    Succession(named="fhs", challenger=None, champion="fhs", reason="").write(Path(config.state))
    _offer(config, "har")
    make().look()
    assert deployed.config.challenger is None, "a miner without a check takes nothing"
    miner = make(WON, auto=True, admit=str)  # a verdict of another race
    assert "har is the challenger: proven" in miner.look().notes
    assert (deployed.config.model, deployed.config.challenger) == ("fhs", "har")
    assert miner.race() == Pair("baseline:fhs", "baseline:har")
    miner.look()
    assert deployed.config.model == "fhs", "what another race said promotes nobody"
    again = start_config(replace(config, challenger=None))
    assert (again.model, again.challenger) == ("fhs", "har"), "a restart goes on with it"


def test_a_challenger_waits_for_the_race_that_goes_on(make, deployed: Deployed, config):
    _offer(config, "har")
    make(EARLY, admit=str).look()
    assert deployed.config.challenger == "ewma"
    make(WON, admit=str).look()
    assert deployed.config.challenger == "ewma", "one that has won waits for its promotion"
    make(LOST, admit=str).look()
    assert (deployed.config.model, deployed.config.challenger) == ("fhs", "har")


def test_the_next_challenger_races_against_the_one_that_won(make, deployed: Deployed, config):
    make(WON, auto=True).look()
    _offer(config, "har")
    miner = make(auto=True, admit=str)
    miner.look()
    assert miner.race() == Pair("baseline:ewma", "baseline:har")
    found = Succession.read(Path(config.state))
    assert found == Succession(
        named="ewma", challenger="har", champion="ewma", reason="proven", started="fhs", since=NOW
    )
    again = start_config(replace(config, challenger=None))
    assert (again.model, again.challenger) == ("ewma", "har"), "a restart by the same command goes on with it"


@pytest.mark.parametrize("from_place", [False, True])
def test_only_what_the_loop_or_a_hand_offers_races_as_a_refit(make, deployed: Deployed, config, tmp_path, from_place):
    champion = bundle(tmp_path / "champion", facts("binance"))
    fresh = again(champion, tmp_path / "fresh")
    deployed.config = replace(config, model=str(champion), challenger=None)
    Succession(named=str(champion), challenger=None, champion=str(champion), reason="").write(Path(config.state))
    Offer.of(fresh, "newest", from_place=from_place).write(Path(config.state))
    miner = make(admit=str)
    miner.look()
    race = miner.race()
    assert race is not None
    assert race.is_refit is not from_place
    assert Succession.read(Path(config.state)).from_place is from_place, "a restart and the page know it, too"


def test_what_is_on_trial_races_by_the_stricter_rule_and_a_restart_knows_it(make, deployed: Deployed, config):
    deployed.config = replace(config, challenger=None)
    Succession(named="fhs", challenger=None, champion="fhs", reason="").write(Path(config.state))
    Offer(folder="har", bundle="baseline:har", reason="it leads", on_trial=True).write(Path(config.state))
    miner = make(admit=str)
    miner.look()
    assert miner.race().config == TRIAL
    assert Succession.read(Path(config.state)).on_trial


@pytest.mark.parametrize("refuses", ["the check", "the replicas", "the hash"])
def test_what_may_not_be_taken_is_told_once_and_changes_nothing(refuses: str, make, deployed: Deployed, config):
    deployed.config = replace(config, challenger=None)
    Succession(named="fhs", challenger=None, champion="fhs", reason="").write(Path(config.state))
    _offer(config, "har")
    if refuses == "the hash":
        Offer(folder="har", bundle="abc", reason="proven").write(Path(config.state))
    deployed.refused = "fhs" if refuses == "the replicas" else ""
    miner = make(admit=_refuse if refuses == "the check" else str)
    assert any("the challenger that was offered is not taken: " in note for note in miner.look().notes)
    miner.look()
    assert (deployed.config.model, deployed.config.challenger) == ("fhs", None)
    assert Succession.read(Path(config.state)).challenger is None


def test_a_challenger_is_wanted_where_nothing_is_judged_and_nothing_waits(make, deployed: Deployed, config):
    assert not make(EARLY, admit=str).wants_challenger()
    assert make(LOST, admit=str).wants_challenger()
    _offer(config, "har")
    miner = make(LOST, admit=_refuse)
    assert not miner.wants_challenger(), "one waits"
    miner.look()
    assert miner.wants_challenger(), "it was declined"
    assert not waits(Path(config.state), "har"), "and whoever offered it can know"


def test_a_challenger_has_one_race(make, deployed: Deployed, config):
    """Else one that lost would come back once the next one is through, and have another chance."""
    append_line(Path(config.state) / "ledger" / "challenges.jsonl", {"challenger": "baseline:har", "decision": "keep"})
    _offer(config, "har")
    miner = make(LOST, admit=str)
    assert any("is not taken: har had its race" in note for note in miner.look().notes)
    assert deployed.config.challenger == "ewma"
    assert miner.wants_challenger()
    assert not waits(Path(config.state), "har")
