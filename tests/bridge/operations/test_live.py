"""A run while it goes on."""

from __future__ import annotations

from jsonschema import validate

from synthcity.bridge.place import Place
from synthcity.bridge.registry import operations


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
