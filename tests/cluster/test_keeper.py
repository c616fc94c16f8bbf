from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from synthcity.cluster import keeper
from synthcity.cluster.folder import Folder, Head
from synthcity.cluster.keeper import autoscaler, environment_of, keep, start_keeper
from synthcity.cluster.plan import Plan
from synthcity.cluster.processes import Process
from synthcity.errors import RentError
from synthcity.schema import build
from synthcity.settings import Settings
from tests.cluster.machines.test_rented import PLAN
from tests.cluster.test_folder import head
from tests.waiting import until

DIES_TWICE = """
import sys, time
from pathlib import Path
notes = Path(sys.argv[1])
text = (notes.read_text() if notes.exists() else "") + "x"
notes.write_text(text)
time.sleep(60 if len(text) > 2 else 0)
"""


@pytest.fixture
def living() -> Iterator[tuple[subprocess.Popen[bytes], Head]]:
    """A head that lives as long as a process does."""
    with subprocess.Popen(["sleep", "60"]) as child:
        process = Process.of(child.pid)
        assert process is not None
        yield child, replace(head(), process=process)
        child.kill()


def test_an_autoscaler_that_ends_is_started_again_until_the_head_has_ended(
    living: tuple[subprocess.Popen[bytes], Head], plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "_FIRST_PAUSE", 0.0)
    child, found = living
    notes = tmp_path / "notes"
    command = (sys.executable, "-c", DIES_TWICE, str(notes))
    thread = threading.Thread(target=keep, args=(found, plan), kwargs={"command": command})
    thread.start()
    until(lambda: notes.exists() and len(notes.read_text()) == 3, seconds=30)
    child.kill()
    child.wait()
    thread.join(20)
    assert not thread.is_alive()
    assert notes.read_text() == "xxx"


def test_once_the_head_has_ended_all_that_is_rented_is_ended(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    plan = build(Plan, PLAN)
    folder.write(plan, {}, "its-token")
    answers: list[Exception | None] = [
        RentError("the market does not answer"),
        OverflowError("an answer that nobody thought of"),
        None,
    ]
    asked = []

    def ends(given: Folder, _: Settings) -> None:
        asked.append(given.path)
        if (error := answers.pop(0)) is not None:
            raise error

    monkeypatch.setattr(keeper, "end_rentals", ends)
    monkeypatch.setattr(keeper, "_LONGEST_PAUSE", 0.0)
    keeper.main(str(folder.path))
    assert asked == [folder.path] * 3


def test_an_autoscaler_that_cannot_be_started_is_tried_again(
    living: tuple[subprocess.Popen[bytes], Head], plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "_FIRST_PAUSE", 0.0)
    child, found = living
    tried = []

    def cannot(command: tuple[str, ...]) -> None:
        tried.append(command)
        if len(tried) == 2:
            child.kill()
            child.wait()
        raise BlockingIOError("Resource temporarily unavailable")

    monkeypatch.setattr(keeper.subprocess, "Popen", cannot)
    keep(found, plan, command=("autoscaler",))
    assert tried == [("autoscaler",)] * 2


def test_whether_it_runs_is_known_from_the_clusters_folder(
    folder: Folder, plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not folder.is_kept
    with subprocess.Popen(["sleep", "60"]) as child:
        monkeypatch.setattr(keeper.subprocess, "Popen", lambda *_, **__: child)
        assert start_keeper(folder, plan, {}) is child
        assert folder.is_kept
        child.kill()
        child.wait()
        assert not folder.is_kept


def test_the_autoscaler_alone_knows_the_markets_token_and_no_other_secret(folder: Folder, plan: Plan) -> None:
    given = {"BASILICA_API_TOKEN": "market", "SYNTHCITY_LLM_API_KEY": "model", "RAY_ADDRESS": "another:1", "HOME": "/h"}
    told = environment_of(folder, build(Plan, PLAN), given)
    assert {name for name in given if name in told} == {"BASILICA_API_TOKEN", "HOME"}
    assert told["RAY_AUTH_TOKEN_PATH"] == str(folder.token)
    assert "BASILICA_API_TOKEN" not in environment_of(folder, plan, given)  # of a cluster that rents nothing


def test_the_autoscaler_is_rays_own(folder: Folder, plan: Plan) -> None:
    words = autoscaler(folder, head(), plan)
    assert "ray.autoscaler.v2.monitor" in words
    assert f"--autoscaling-config={folder.autoscaling}" in words
