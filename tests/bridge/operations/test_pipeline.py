"""The loop as a job."""

from __future__ import annotations

from pathlib import Path

import pytest
from jsonschema import validate

from synthcity.bridge.jobs import board
from synthcity.bridge.operation import Refused
from synthcity.bridge.place import Place
from synthcity.bridge.registry import operations
from synthcity.errors import ConfigError
from synthcity.pipeline import run as module
from tests.bridge.jobs.builders import Launched
from tests.cli.test_handpicked import invoke


def test_it_is_the_command_with_a_folder_of_its_own(
    place: Place, launched: Launched, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = operations()["run"].do({"rounds": 2, "temperature": 0.5, "seconds": 60}, place, "default")
    validate(answer, operations()["run"].output_schema)
    job = board.job_of(place, "default", answer["id"])
    seen = []
    monkeypatch.setattr(module, "run_pipeline", lambda opening, **_: seen.append(opening))
    done = invoke(*job.arguments)
    assert done.exit_code == 0, done.output
    config = seen[0].config
    assert (config.rounds, config.temperature, config.budget_time, config.publish) == (2, 0.5, 60.0, False)
    assert Path(config.folder or "") == Path(job.run)
    assert job.secrets == ()  # a rehearsal needs none
    with pytest.raises(Refused, match="has not begun its first round"):
        operations()["rounds"].do({"id": job.id}, place, "default")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"retries": 10_000}, "retries must be less than or equal to 20, got 10000"),
        ({"temperature": 99.0}, "temperature must be less than or equal to 1, got 99.0"),
        ({"config": "nowhere"}, "unknown sweep file 'nowhere'"),
        ({"config": "../../etc/x"}, "config must match pattern"),
        ({"config": "serve"}, ""),
    ],
)
def test_what_cannot_be_run_is_told_at_once(
    place: Place, launched: Launched, given: dict[str, object], sentence: str
) -> None:
    with pytest.raises((ConfigError, Refused)) as told:
        operations()["run"].do(given, place, "default")
    assert sentence in str(told.value)
    assert board.jobs(place) == []


def test_only_a_pipeline_has_rounds(place: Place, launched: Launched) -> None:
    job = operations()["quick"].do({}, place, "default")
    with pytest.raises(Refused, match="is a quick and no pipeline"):
        operations()["rounds"].do({"id": job["id"]}, place, "default")
