from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from synthcity.cli import cluster as commands
from synthcity.cli.main import cli
from synthcity.cluster import status as cluster_status
from synthcity.cluster.folder import Folder, folder_of
from synthcity.cluster.notes import Notes, notes
from synthcity.cluster.plan import Plan, load_plan
from synthcity.cluster.status import Status
from synthcity.errors import ConfigError
from synthcity.schema import build
from tests.cluster.joining.test_ssh import MACHINE
from tests.cluster.test_folder import head
from tests.cluster.test_head import block, dashboard_of


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "cluster.yaml"
    ports = block()
    head = f"{{ports: {ports}, dashboard: {dashboard_of(ports)}}}"
    path.write_text(f"name: two\nhead: {head}\nnodes: {{cpu: {{market: local}}}}\n")
    return path


def invoke(*words: str | Path) -> Result:
    return CliRunner().invoke(cli, ["cluster", *map(str, words)])


def test_check_says_what_a_file_says(file: Path) -> None:
    assert invoke("check", file).output == "two: up to 1 node 'cpu' of 1 CPU (local)\n"
    assert json.loads(invoke("check", file, "--json").output)["name"] == "two"


def test_check_tells_what_would_not_travel_with_a_job(file: Path, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / ".gitignore").write_text("data\n")
    told = invoke("check", file, "--working-dir", tmp_path)
    assert told.output.splitlines()[1:] == [
        "with a job travel 0.0 MiB of 100 that Ray takes",
        "not with it, by .gitignore, .rayignore or Ray itself: data",
    ]
    assert json.loads(invoke("check", file, "--working-dir", tmp_path, "--json").output)["package"]["left"] == ["data"]


def test_a_wrong_file_is_refused_with_every_mistake(tmp_path: Path) -> None:
    (tmp_path / "wrong.yaml").write_text("name: Two\nnodes: {cpu: {}}\n")
    result = invoke("check", tmp_path / "wrong.yaml")
    assert isinstance(result.exception, ConfigError)
    assert [line.partition(": ")[0].split()[-1] for line in str(result.exception).splitlines()] == ["1", "2"]


def test_a_dry_run_prints_what_ray_would_be_told_and_starts_nothing(file: Path, tmp_path: Path) -> None:
    result = invoke("up", file, "--dry-run", "--state", tmp_path / "state")
    assert result.exit_code == 0, result.output
    told = yaml.safe_load(result.output)
    assert (told["cluster_name"], told["provider"]["type"]) == ("two", "external")
    assert told == json.loads(invoke("up", file, "--dry-run", "--json", "--state", tmp_path / "state").output)
    assert not (tmp_path / "state").exists()


def test_a_cluster_that_is_up_is_told_and_not_its_own_ports(file: Path, tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "state", "two")
    folder.path.mkdir(parents=True)
    folder.write_head(head())
    for words in ([], ["--dry-run"], ["--json"]):
        refused = invoke("up", file, "--state", tmp_path / "state", *words)
        assert "the cluster two is up already; `synthcity cluster down two` ends it" in str(refused.exception)
        assert refused.output == ""


def test_down_ends_what_a_lost_head_has_left(file: Path, tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "state", "two")
    folder.write(load_plan(file), {}, "its-token")
    (folder.path / "nodes").mkdir()
    assert (
        "would end of two: what a lost head has left"
        in invoke("down", "--dry-run", "--state", folder.path.parent).output
    )
    dry = json.loads(invoke("down", "--dry-run", "--json", "--state", tmp_path / "state").output)
    assert dry == {"name": "two", "ended": False, "dashboard": None, "rentals": []}
    assert folder.has_plan
    done = invoke("down", "--yes", "--state", tmp_path / "state")
    assert done.output == "the cluster two is down\n"
    assert [path.name for path in folder.path.iterdir()] == ["lock"]
    assert isinstance(invoke("down", "--yes", "--state", tmp_path / "state").exception, ConfigError)


def test_down_names_what_is_not_ended_with_it(file: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    for name in ("one", "two", "three"):
        folder_of(state, name).write(load_plan(file), {}, "its-token")
    assert "name one of one, three, two" in str(invoke("down", "--yes", "--state", state).exception)
    (state / "three/rentals.jsonl").mkdir()  # which nobody can read
    (state / "three/plan.yaml").unlink()
    assert invoke("down", "two", "--yes", "--state", state).output.splitlines() == [
        "the cluster two is down",
        "not ended: one, whose head is gone; `synthcity cluster down one` ends what is left of it",
        "not ended: three, whose head is gone; `synthcity cluster down three` ends what is left of it",
    ]
    told = json.loads(invoke("down", "one", "--yes", "--json", "--state", state).output)
    assert told == {"name": "one", "ended": True, "not_ended": ["three"]}


def test_a_cluster_that_is_up_tells_how_to_search_on_it_by_a_job_and_without(tmp_path: Path) -> None:
    folder, one = Folder(tmp_path / "tests"), head()
    told = commands._told("tests", folder, one)
    variables = f"RAY_AUTH_MODE=token RAY_AUTH_TOKEN_PATH={folder.token}"
    assert f"  {variables} ray job submit --address {one.url} --working-dir . -- synthcity search" in told
    assert f"  {variables} RAY_ADDRESS={one.gcs} synthcity search" in told


def test_of_machines_that_are_no_nodes_it_is_told_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = folder_of(tmp_path, "tests")
    folder.path.mkdir()
    folder.write(build(Plan, {"name": "tests", "nodes": {"cpu": {"market": "local"}}}), {}, "its-token")
    folder.write_head(head())
    told = Notes(folder)
    told.tell(MACHINE, "joined", "is a node")
    told.tell(replace(MACHINE, name="tests-cpu-2"), "failed", "it has no python3")
    found = Status(nodes=(), waiting=(), jobs=(), machines=tuple(notes(folder.path)))
    monkeypatch.setattr(cluster_status, "status", lambda *_: found)
    output = invoke("status", "--state", tmp_path).output
    assert output.splitlines()[-1] == "machine tests-cpu-2 failed: it has no python3"
    assert "tests-cpu-1" not in output
    told = json.loads(invoke("status", "--state", tmp_path, "--json").output)
    assert [one["state"] for one in told["machines"]] == ["joined", "failed"]


def test_that_no_node_comes_or_goes_any_more_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = folder_of(tmp_path, "tests")
    folder.path.mkdir()
    folder.write(build(Plan, {"name": "tests", "nodes": {"cpu": {"market": "local"}}}), {}, "its-token")
    folder.write_head(head())
    for is_kept in (True, False):
        found = Status(nodes=(), waiting=(), jobs=(), is_kept=is_kept)
        monkeypatch.setattr(cluster_status, "status", lambda *_, told=found: told)
        output = invoke("status", "--state", tmp_path).output
        assert ("what keeps the autoscaler running has ended" in output) is not is_kept
        assert ("`synthcity cluster down tests`" in output) is not is_kept


@pytest.mark.parametrize("words", [["status"], ["down", "--yes"]])
def test_without_a_cluster_there_is_nothing_to_show_or_end(words: list[str], tmp_path: Path) -> None:
    result = invoke(*words, "--state", tmp_path)
    assert isinstance(result.exception, ConfigError)
    assert "synthcity cluster up FILE" in str(result.exception)
