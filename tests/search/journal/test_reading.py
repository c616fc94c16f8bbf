"""Events of a journal, and what they add up to."""

from __future__ import annotations

from typing import Any

from synthcity.search.journal.events import Contenders, FinalistTold, Stage
from synthcity.search.journal.history import Fold, TrialHistory
from synthcity.search.journal.reading import Reading
from tests.search.builders import candidate, tell


def events() -> Any:
    def finalist(name: str, time: float) -> dict[str, Any]:
        return {"kind": "finalist", "time": time, "name": name, "id": None, "score": 5000.0}

    held = [finalist("first", 901.0), {"kind": "contenders", "time": 902.0, "ids": ["c0000"]}, finalist("again", 903.0)]
    return [*tell(candidate(0), 5000.0), {"kind": "contenders", "time": 900.0, "ids": ["c0000"]}, *held]


def test_of_finals_that_were_held_again_the_last_are_told() -> None:
    reading = Reading(events())
    assert [told["name"] for told in reading.all(FinalistTold)] == ["again"]
    last = reading.last(Contenders)
    assert last is not None
    assert last["time"] == 902.0
    assert reading.last(Stage) is None


def test_the_history_is_that_of_its_events_whoever_added_them_up() -> None:
    told = events()
    assert Reading(told).history == TrialHistory.replay(told)
    assert Reading(told, Fold.of(told)).history == TrialHistory.replay(told)
