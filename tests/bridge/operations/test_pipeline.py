"""The loop as a job."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from jsonschema import validate

from synthcity.bridge.dashboard.pages import front
from synthcity.bridge.jobs import board
from synthcity.bridge.operation import Refused
from synthcity.bridge.place import Place
from synthcity.bridge.registry import operations
from synthcity.durations import DAY
from synthcity.errors import ConfigError
from synthcity.pipeline import run as module
from synthcity.pipeline.journal import read_told
from synthcity.pipeline.loop import run_loop
from synthcity.serve.settlement.succession import Succession
from tests.bridge.dashboard.html import Page
from tests.bridge.jobs.builders import Launched
from tests.cli.test_handpicked import invoke
from tests.pipeline.standin import CONFIG, START, StandIn
from tests.serve.challengers.test_tenure import scored, settle


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


def test_an_operators_pipelines_are_told_beside_the_bots_own(place: Place, tmp_path: Path) -> None:
    place = replace(place, pipelines=tmp_path / "pipelines")
    own, other = tmp_path / "pipelines" / "mine", place.pipelines_of("bot") / "theirs"
    run_loop(own, CONFIG, StandIn(own))
    run_loop(other, CONFIG, StandIn(other))
    (tmp_path / "pipelines" / "damaged").mkdir()
    (tmp_path / "pipelines" / "damaged" / "pipeline.jsonl").write_text("{}\n{}\n")
    os.utime(tmp_path / "pipelines" / "damaged" / "pipeline.jsonl", (1, 1))
    told = operations()["pipelines"].do({}, place, "default")
    validate(told, operations()["pipelines"].output_schema)
    assert [one["folder"] for one in told["pipelines"]] == [str(own)]
    assert [one.partition(":")[0] for one in told["left_out"]] == ["damaged"]
    assert [one["folder"] for one in operations()["pipelines"].do({}, place, "bot")["pipelines"]] == [str(other)]
    newest = operations()["pipelines"].do({"limit": 1}, place, "default")
    assert (len(newest["pipelines"]), newest["left_out"], newest["more"]) == (1, [], 1), "the page reads no others"
    page = Page(front(place, "default"))
    assert page.problems == []
    assert "stopped: 3 rounds are done" in page.text(page.all("main")[0])


def test_the_page_shows_who_answers_and_what_both_earned(place: Place, tmp_path: Path) -> None:
    place = replace(place, pipelines=tmp_path / "pipelines")
    folder = tmp_path / "pipelines" / "mine"
    run_loop(folder, CONFIG, StandIn(folder))
    Succession(named="fhs", challenger="har", champion="fhs", reason="it won", since=START).write(folder / "miner")
    day = (int(read_told(folder)[-1].time) // DAY - 3) * DAY
    settle(folder / "miner", scored("baseline:fhs", day, 900.0), scored("baseline:har", day, 850.0))
    page = Page(front(place, "default"))
    assert page.problems == []
    text = page.text(page.all("main")[0])
    shown_there = ("fhs since 2025-01-01 00:00: it won", "average, bp", "of the prompts that both answered", "850.0")
    for shown in (*shown_there, "Race in crypto-24h: too early"):
        assert shown in text, shown
