"""The bridge itself."""

from __future__ import annotations

from jsonschema import validate

from synthcity.bridge.jobs import board
from synthcity.bridge.place import Place
from synthcity.bridge.registry import operations
from tests.bridge.jobs.builders import Launched


def test_health_counts_what_runs_and_status_tells_of_one_bot(place: Place, launched: Launched) -> None:
    def do(name: str, bot: str = "default") -> dict:
        answer = operations()[name].do({}, place, bot)
        validate(answer, operations()[name].output_schema)
        return dict(answer)

    assert (do("health")["status"], do("health")["active_bots"]) == ("ok", 0)
    assert do("status") == {"running": False, "status": "idle", "bot_id": "default", "job": None}
    job = board.start(place, "a", "quick", {}, ["quick"])
    assert (do("health")["active_bots"], do("health")["running_jobs"]) == (1, 1)
    assert (do("status", "a")["running"], do("status", "a")["job"]["id"]) == (True, job.id)
    assert do("status")["status"] == "idle"
