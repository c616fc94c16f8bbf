"""Jobs as operations."""

from __future__ import annotations

from jsonschema import validate

from synthcity.bridge.place import Place
from synthcity.bridge.registry import operations
from tests.bridge.jobs.builders import Launched


def test_a_job_is_listed_looked_at_stopped_and_resumed(place: Place, launched: Launched) -> None:
    def do(name: str, **given: object) -> dict:
        answer = operations()[name].do(given, place, "default")
        validate(answer, operations()[name].output_schema)
        return dict(answer)

    id = do("quick", blocks=["lstm"], head="sde", seed=3)["id"]
    assert do("jobs")["running"] == 1
    assert do("job", id=id)["state"] == "running"
    assert do("stop", id=id)["state"] == "stopping"
    launched.end(id)
    assert do("job", id=id)["state"] == "stopped"
    assert do("resume", id=id)["state"] == "running"
