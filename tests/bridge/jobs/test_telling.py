"""What is told of a job."""

from __future__ import annotations

from synthcity.bridge.jobs.telling import told
from synthcity.bridge.place import Place
from tests.bridge.jobs.builders import job


def test_a_job_is_told_with_what_its_run_found(place: Place) -> None:
    one = job(run=str(place.runs / "sweep"), arguments=("sweep", "--set", "data.assets=[BTC]"))
    (place.jobs / one.id).mkdir(parents=True)
    answer = told(place, one)
    assert (answer["state"], answer["run"], answer["verdict"], answer["lead"]) == ("lost", "sweep", "proven", -0.6)
    assert answer["command"] == "synthcity sweep --set 'data.assets=[BTC]'"
    (place.jobs / one.id / "ended.json").write_text('{"code": 2}')
    (place.jobs / one.id / "output.txt").write_text("error: no\n")
    answer = told(place, one)
    assert (answer["state"], answer["exit_code"], answer["error"]) == ("failed", 2, "no")
    assert answer["ended_at"] is not None


def test_a_job_without_a_run_yet_is_told_too(place: Place) -> None:
    (place.jobs / job().id).mkdir(parents=True)
    assert (told(place, job())["trials"], told(place, job())["verdict"]) == (0, "unfinished")
