"""A run while it goes on."""

from __future__ import annotations

from jsonschema import validate

from synthcity.bridge.place import Place
from synthcity.bridge.registry import operations
from synthcity.search.journal.journal import Journal
from synthcity.search.journal.recorder import Recorder
from tests.search.builders import candidate


def test_a_run_is_told_as_its_journal_tells_it(place: Place) -> None:
    live = operations()["live"]
    told = live.do({"id": "live"}, place, "default")
    validate(told, live.output_schema)
    assert (told["id"], told["trials_finished"], told["finished"]) == ("live", 6, False)
    best = told["trials"][0]
    assert (best["id"], best["lead"]) == (told["best"], told["best_lead"])
    assert best["leads"][-1] <= best["leads"][0]
    assert sum(arm["trials"] for arm in told["arms"]) == 6
    assert len(live.do({"id": "live", "limit": 2}, place, "default")["trials"]) == 2


def test_candidates_that_wait_come_last(place: Place) -> None:
    with Journal(place.runs / "live") as lines:
        Recorder(lines).emit("candidate", **candidate(6, "tpe").to_dict())
    told = operations()["live"].do({"id": "live"}, place, "default")["trials"]
    assert [one["id"] for one in told].index("c0006") == len(told) - 1 == 6
    assert (told[-1]["state"], told[-1]["lead"]) == ("queued", None)
