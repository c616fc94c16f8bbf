"""A challenger that is offered to a running miner."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from synthcity.errors import BundleError, RunError
from synthcity.lines import append_line
from synthcity.serve.settlement.challenge import CHALLENGES, Decision
from synthcity.serve.settlement.offer import OFFER, Offer, had_its_race, is_new, is_over, lost
from synthcity.serve.settlement.succession import Succession
from tests.serve.settlement.test_challenge import race, verdict_of

WON, LOST, EARLY = verdict_of(race(20, 0.05)), verdict_of(race(20, -0.05)), verdict_of(race(2))


def test_it_comes_back_from_the_disk_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    assert Offer.read(tmp_path) is None
    offer = Offer(folder="bundles/a", bundle="abc", reason="proven").write(tmp_path)
    assert Offer.read(tmp_path) == offer
    assert (tmp_path / OFFER).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "[" * 100_000, "{}"]
    + [json.dumps({"folder": "", "bundle": "", "reason": ""} | wrong) for wrong in ({"folder": 1}, {"from_place": 0})],
)
def test_a_damaged_file_is_one_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / OFFER).write_text(text)
    with pytest.raises(RunError, match="offers no challenger"):
        Offer.read(tmp_path)


@pytest.mark.parametrize("on_trial", [False, True])
def test_whoever_takes_it_knows_on_which_terms(on_trial: bool) -> None:
    before = Succession(named="a", challenger=None, champion="a", reason="", since=5.0)
    taken = Offer(folder="b", bundle="", reason="it leads", on_trial=on_trial).taken(before)
    assert (taken.champion, taken.challenger, taken.on_trial) == ("a", "b", on_trial)
    assert not taken.promoted("").challenged("c", "proven").on_trial, "what comes after is not on the same terms"


def test_another_bundle_than_was_offered_is_refused() -> None:
    Offer(folder="fhs", bundle="baseline:fhs", reason="").check()
    with pytest.raises(BundleError, match="fhs is not the bundle that was offered"):
        Offer(folder="fhs", bundle="baseline:har", reason="").check()


def test_whoever_answers_or_shadows_already_is_no_news() -> None:
    succession = Succession(named="a", challenger="b", champion="a", reason="")
    assert [is_new(Offer(folder=name, bundle="", reason=""), succession) for name in "abc"] == [False, False, True]


@pytest.mark.parametrize(
    ("verdicts", "over"), [((), False), ((EARLY,), False), ((LOST,), True), ((LOST, EARLY), False), ((WON,), False)]
)
def test_a_race_is_over_once_nobody_can_win_it_any_more(verdicts: tuple, over: bool) -> None:
    assert is_over(verdicts) is over


def test_a_ledger_tells_that_a_challenger_lost(tmp_path: Path) -> None:
    where = LOST.competition
    assert lost(tmp_path, "new", where) is None
    append_line(tmp_path / CHALLENGES, asdict(replace(LOST, competition="elsewhere")))
    assert lost(tmp_path, "new", where) is None, "what it shares with the champion is judged there"
    append_line(tmp_path / CHALLENGES, asdict(LOST))
    assert "the challenger is worse" in str(lost(tmp_path, "new", where))
    assert lost(tmp_path, "other", where) is None
    append_line(tmp_path / CHALLENGES, asdict(replace(WON, decision=Decision.PROMOTE)))
    assert lost(tmp_path, "new", where) is None


def test_a_refit_loses_wherever_it_is_not_let_through(tmp_path: Path) -> None:
    append_line(tmp_path / CHALLENGES, asdict(replace(WON, decision=Decision.PROMOTE)))
    assert lost(tmp_path, "new", WON.competition, is_refit=True) is None
    append_line(tmp_path / CHALLENGES, asdict(replace(LOST, competition="elsewhere")))
    assert lost(tmp_path, "new", WON.competition) is None
    assert "elsewhere: the challenger is worse" in str(lost(tmp_path, "new", WON.competition, is_refit=True))
    assert had_its_race(tmp_path, "new")
    assert not had_its_race(tmp_path, "other")
