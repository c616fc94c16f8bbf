"""Past runs."""

from __future__ import annotations

import pytest
from jsonschema import validate

from synthcity.bridge.operation import Asked, Refused
from synthcity.bridge.operations.history import OneRun, folder_of
from synthcity.bridge.place import Place
from synthcity.bridge.registry import operations
from tests.history.builders import report, write_run


@pytest.mark.parametrize(("name", "given"), [("history", {}), ("trends", {}), ("show", {"id": "latest"})])
def test_answers_are_what_their_schemas_say(place: Place, name: str, given: dict[str, object]) -> None:
    answer = operations()[name].do(given, place, "default")
    validate(answer, operations()[name].output_schema)
    assert "sweep" in str(answer)


def test_a_list_is_of_one_competition_and_so_long(place: Place) -> None:
    write_run(place.runs / "other", report(run={**report()["run"], "competition": "crypto-1h"}))
    history = operations()["history"]
    assert history.do({"limit": 1}, place, "default")["total"] == 3
    assert len(history.do({"limit": 1}, place, "default")["runs"]) == 1
    assert history.do({"competition": "crypto-1h"}, place, "default")["runs"][0]["id"] == "other"


@pytest.mark.parametrize("run", ["../sweep", "/etc", "..", "none"])
def test_a_name_leads_out_of_no_folder(place: Place, run: str) -> None:
    with pytest.raises(Refused, match="there is no run") as told:
        folder_of(Asked(given=OneRun(id=run), place=place, bot="default"), run)
    assert told.value.status == 404
    asked = Asked(given=OneRun(id="latest"), place=place, bot="default")
    assert folder_of(asked, "latest") == place.runs / "live"
