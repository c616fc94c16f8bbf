"""Who is champion, on disk and after a verdict."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from synthcity.errors import RunError
from synthcity.serve.settlement.challenge import Decision
from synthcity.serve.settlement.succession import CHAMPION, Succession, begin, is_won, starting

OLD = Succession(named="old", challenger="new", champion="old", reason="the miner was started with it")


def test_it_comes_back_from_the_disk_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    assert Succession.read(tmp_path) is None
    OLD.write(tmp_path)
    assert Succession.read(tmp_path) == OLD
    assert (tmp_path / CHAMPION).stat().st_mode & 0o777 == 0o600


def test_promoted_and_revoked_change_who_answers_and_why() -> None:
    promoted = OLD.promoted("it is better")
    assert (promoted.champion, promoted.reason, promoted.named) == ("new", "it is better", "old")
    assert promoted.revoked("it is not").champion == "old"
    with pytest.raises(RunError, match="old has no challenger; start the miner with --challenger BUNDLE"):
        Succession(named="old", challenger=None, champion="old", reason="").promoted("why")


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "null", "[" * 100_000, json.dumps({"named": "old"}),
        json.dumps({"named": "old", "challenger": "new", "champion": "third", "reason": ""}),
        json.dumps({"named": "old", "challenger": None, "champion": None, "reason": "", "more": 1}),
        json.dumps({"named": 5, "challenger": None, "champion": 5, "reason": ""}),
        '{"named": "old", "challenger": "new", "champion": "old", "reason": "", "since": NaN}',
    ],
)  # fmt: skip
def test_a_damaged_file_is_one_sentence_and_never_a_champion(tmp_path: Path, text: str) -> None:
    (tmp_path / CHAMPION).write_text(text)
    with pytest.raises(RunError, match="does not say who is champion"):
        starting(tmp_path, "old", "new")


def test_a_promoted_challenger_still_answers_after_a_restart(tmp_path: Path) -> None:
    OLD.promoted("it is better").write(tmp_path)
    assert starting(tmp_path, "old", "new").champion == "new"


def test_a_challenger_that_came_later_goes_on_under_the_same_command(tmp_path: Path) -> None:
    later = OLD.promoted("it is better").challenged("newer", "proven").write(tmp_path)
    assert (later.named, later.challenger, later.champion, later.started) == ("new", "newer", "new", "old")
    assert starting(tmp_path, "old", None) == later
    assert starting(tmp_path, "old", "other").champion == "old"
    assert later.promoted("").challenged("newest", "").started == "old"


@pytest.mark.parametrize(("named", "challenger"), [("old", None), ("old", "other"), ("other", "new"), ("new", "old")])
def test_another_pair_begins_anew_and_nothing_is_written_before_it_has_begun(
    tmp_path: Path, named: str, challenger: str | None
) -> None:
    earned = OLD.promoted("it is better").write(tmp_path)
    assert starting(tmp_path, named, challenger).champion == named
    assert Succession.read(tmp_path) == earned
    begin(tmp_path, named, challenger)
    found = Succession.read(tmp_path)
    assert found is not None
    assert (found.named, found.challenger, found.champion) == (named, challenger, named)


def test_a_disk_that_refuses_leaves_the_champion(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="the champion stays"):
        OLD.write(tmp_path / "file")


def verdict(decision: Decision, low: float | None = None, high: float = 0.0) -> Any:
    return SimpleNamespace(
        decision=decision, lead=None if low is None else SimpleNamespace(low=low, high=high), margin=0.0
    )


WON, LOST = verdict(Decision.PROMOTE, -2.0, -1.0), verdict(Decision.KEEP, 1.0, 2.0)
EVEN, EARLY = verdict(Decision.KEEP, -1.0, 1.0), verdict(Decision.TOO_EARLY)
SAME = verdict(Decision.TOO_EARLY, 0.0, 0.0)  # a part that both have


@pytest.mark.parametrize(
    ("verdicts", "won"),
    [
        ([], False), ([WON], True), ([WON, WON], True), ([WON, EVEN], True), ([WON, verdict(Decision.KEEP)], True),
        ([WON, EARLY], False), ([WON, LOST], False), ([EVEN], False), ([LOST], False), ([EARLY], False),
        ([WON, SAME], True), ([SAME], False),
    ],
)  # fmt: skip
def test_a_challenger_has_to_win_somewhere_and_to_lose_nowhere(verdicts: list[Any], won: bool) -> None:
    assert is_won(verdicts) is won


def test_a_refit_comes_through_everywhere_or_not_at_all() -> None:
    one = SimpleNamespace(decision=Decision.PROMOTE, lead=SimpleNamespace(low=-0.1, high=0.05), margin=0.1)
    other = SimpleNamespace(decision=Decision.KEEP, lead=SimpleNamespace(low=-0.5, high=0.5), margin=0.1)
    won: Any = [one, one]
    assert is_won(won)
    mixed: Any = [one, other]
    assert not is_won(mixed)


def test_since_when_somebody_answers_is_told(tmp_path: Path) -> None:
    assert begin(tmp_path, "old", None, 10.0).since == 10.0
    taken = Succession.read(tmp_path)
    assert taken is not None
    taken = taken.challenged("new", "proven")
    assert taken.since == 10.0, "who answers goes on to"
    promoted = taken.promoted("it is better", 20.0).write(tmp_path)
    assert promoted.since == 20.0
    assert starting(tmp_path, "old", None, 30.0).since == 20.0, "a restart changes nothing"
    assert starting(tmp_path, "new", None, 30.0).since == 20.0, "nor does naming the one that answers"
    assert starting(tmp_path, "other", None, 30.0).since == 30.0
    assert promoted.revoked("it is not", 40.0).since == 40.0
