from __future__ import annotations

import os
import time
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from synthcity.cluster.folder import Folder
from synthcity.cluster.job import (
    check_folder,
    check_gpus,
    check_kept,
    most_resources,
    on_cluster,
    settle,
    spent,
    storage,
)
from synthcity.cluster.plan import Plan
from synthcity.errors import ConfigError
from synthcity.rent import LEDGER, Ledger, Spent
from synthcity.schema import build
from tests.cluster.machines.test_rented import PLAN
from tests.cluster.test_folder import head
from tests.rent.builders import rental


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where Ray unpacked a job, with its sweep file."""
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "sweep.yaml").touch()
    monkeypatch.chdir(tmp_path / "package")
    return tmp_path / "package"


def test_a_search_that_is_no_job_stays_where_it_is(
    package: Path, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNTHCITY_CLUSTER", str(folder.path))
    assert settle(Path("missing.yaml")) == Path("missing.yaml")
    assert Path.cwd() == package


def test_a_job_works_where_its_cluster_was_started_by_the_file_that_travelled(
    package: Path, folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "home").mkdir()
    folder.write_head(replace(head(), home=str(tmp_path / "home")))
    monkeypatch.setenv("RAY_JOB_CONFIG_JSON_ENV_VAR", "{}")
    monkeypatch.setenv("SYNTHCITY_CLUSTER", str(folder.path))
    assert settle(Path("sweep.yaml")) == package / "sweep.yaml"
    assert Path.cwd() == tmp_path / "home"


def test_a_job_of_rented_nodes_keeps_its_run_where_the_cluster_says(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNTHCITY_CLUSTER", str(folder.path))
    folder.write(build(Plan, PLAN), {}, "its-token")
    assert storage() is None  # this is no job
    monkeypatch.setenv("RAY_JOB_CONFIG_JSON_ENV_VAR", "{}")
    assert storage() == "s3://bucket/syntha"
    (folder.path / "plan.yaml").unlink()
    assert storage() is None


def test_a_job_of_another_cluster_works_where_it_was_unpacked(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_JOB_CONFIG_JSON_ENV_VAR", "{}")
    monkeypatch.delenv("SYNTHCITY_CLUSTER", raising=False)
    assert settle(Path("sweep.yaml")) == Path("sweep.yaml")
    assert os.getcwd() == str(package)


def test_a_file_that_stayed_at_home_is_told_with_the_cause(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_JOB_CONFIG_JSON_ENV_VAR", "{}")
    with pytest.raises(ConfigError, match=r"'own/sweep.yaml': only what lies below --working-dir travels"):
        settle(Path("own/sweep.yaml"))


def test_a_run_that_would_go_with_its_job_is_refused(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    check_kept("runs", None)  # no job
    monkeypatch.setenv("RAY_JOB_CONFIG_JSON_ENV_VAR", "{}")
    monkeypatch.delenv("SYNTHCITY_CLUSTER", raising=False)
    with pytest.raises(ConfigError, match="output is 'runs', which Ray removes with the job"):
        check_kept("runs", None)
    check_kept("/runs", None)
    check_kept("runs", "s3://bucket/runs")
    monkeypatch.setenv("SYNTHCITY_CLUSTER", str(folder.path))
    check_kept("runs", None)  # it works where the cluster was started


def test_a_pipeline_that_would_go_with_its_job_is_refused(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    check_folder(Path("pipelines/p"))  # no job
    monkeypatch.setenv("RAY_JOB_CONFIG_JSON_ENV_VAR", "{}")
    monkeypatch.delenv("SYNTHCITY_CLUSTER", raising=False)
    with pytest.raises(ConfigError, match="folder is 'pipelines/p', which Ray removes with the job"):
        check_folder(Path("pipelines/p"))
    check_folder(Path("/runs/p"))
    monkeypatch.setenv("SYNTHCITY_CLUSTER", str(folder.path))
    check_folder(Path("pipelines/p"))


def test_a_job_knows_how_far_its_cluster_may_grow(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNTHCITY_CLUSTER", str(folder.path))
    assert most_resources() == {}, "no job"
    monkeypatch.setenv("RAY_JOB_CONFIG_JSON_ENV_VAR", "{}")
    assert most_resources() == {"CPU": 4}  # two nodes with one, and one with two
    monkeypatch.delenv("SYNTHCITY_CLUSTER")
    assert most_resources() == {}, "another's cluster"
    monkeypatch.delenv("RAY_JOB_CONFIG_JSON_ENV_VAR")
    folder.write_head(head())
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(folder.token))
    monkeypatch.setenv("RAY_ADDRESS", head().gcs)
    assert most_resources() == {"CPU": 4}, "a search that was started beside the head"
    monkeypatch.setenv("RAY_ADDRESS", "192.0.2.1:6379")
    assert most_resources() == {}, "another cluster, with a token of ours"
    assert build(Plan, PLAN).resources == {"CPU": 9, "GPU": 2}


def test_workers_that_would_wait_for_a_gpu_for_ever_are_refused(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_gpus(0.25)  # of another cluster, or none, nothing is known
    monkeypatch.setenv("SYNTHCITY_CLUSTER", str(folder.path))
    monkeypatch.setenv("RAY_JOB_CONFIG_JSON_ENV_VAR", "{}")
    check_gpus(None)
    check_gpus(0.0)
    with pytest.raises(ConfigError, match=r"gpus_per_trial is 0\.25 and no node of the cluster file has a GPU"):
        check_gpus(0.25)
    folder.write(build(Plan, PLAN), {}, "its-token")
    check_gpus(0.25)


def test_a_job_of_rented_nodes_knows_what_its_cluster_has_cost(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNTHCITY_CLUSTER", str(folder.path))
    monkeypatch.setenv("RAY_JOB_CONFIG_JSON_ENV_VAR", "{}")
    assert spent() is None, "nothing is rented for it"
    folder.write(build(Plan, PLAN), {}, "its-token")
    assert spent() == Spent(usd=0.0, gpu_hours=0.0)
    now = time.time()
    ledger = Ledger(folder.path / LEDGER)
    ledger.write(rental(state="rented", hourly=Decimal("1.25"), gpu_count=2, asked=now - 3600.0, started=now))
    ledger.close()
    found = spent()
    assert found is not None
    assert found.usd == pytest.approx(1.25, abs=0.01)
    assert found.gpu_hours == pytest.approx(2.0, abs=0.01)


def test_a_driver_here_reaches_a_cluster_that_is_up_and_knows_how_far_it_grows(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = folder.path.parent
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    with pytest.raises(ConfigError, match="no cluster is up"), on_cluster("tests", root):
        pass
    folder.write_head(head())
    with on_cluster("tests", root):
        assert (os.environ["RAY_ADDRESS"], os.environ["RAY_AUTH_TOKEN_PATH"]) == ("127.0.1.1:7006", str(folder.token))
        assert most_resources() == folder.plan.resources
        assert "its-token" not in os.environ.values()
    with on_cluster(None, root):
        assert "RAY_ADDRESS" not in os.environ
    with pytest.raises(ConfigError, match="did you mean 'tests'"), on_cluster("test", root):
        pass
    monkeypatch.setenv("RAY_JOB_CONFIG_JSON_ENV_VAR", "{}")
    with pytest.raises(ConfigError, match="a job of a cluster already"), on_cluster("tests", root):
        pass
