"""What trains: the command that each operation starts."""

from __future__ import annotations

from typing import Any

from synthcity.bridge.jobs import board
from synthcity.bridge.jobs.job import Job
from synthcity.bridge.place import Place
from synthcity.bridge.registry import operations
from tests.bridge.jobs.builders import Launched
from tests.cli.test_handpicked import invoke


def started(place: Place, name: str, **given: object) -> Job:
    return board.job_of(place, "default", operations()[name].do(given, place, "default")["id"])


def test_quick_is_the_command_with_a_run_folder_of_its_own(
    place: Place, launched: Launched, calls: list[dict[str, Any]]
) -> None:
    job = started(place, "quick", blocks=["tcn"], head="sde", seed=3)
    assert invoke(*job.arguments).exit_code == 0
    config = calls[0]["config"]
    assert f"{config.output}/{config.name}" == job.run
    assert config.search.seed == 3
