from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from synthcity.cli.main import cli
from synthcity.errors import ConfigError
from synthcity.pipeline import run as module
from synthcity.pipeline.loop import run_loop
from tests.pipeline.standin import CONFIG, StandIn

FILE = str(Path(__file__).parents[2] / "configs" / "quickstart-pipeline.yaml")


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    seen: list[dict[str, Any]] = []
    monkeypatch.setattr(module, "run_pipeline", lambda opening, **options: seen.append({"opening": opening, **options}))
    return seen


def test_a_file_is_a_command_of_its_own(calls: list[dict[str, Any]]) -> None:
    line = [
        "pipeline",
        FILE,
        "--rounds",
        "7",
        "--retries",
        "3",
        "--budget-time",
        "2h",
        "--resume",
        "--set",
        "every=90s",
    ]
    done = CliRunner().invoke(cli, line)
    assert done.exit_code == 0, done.output
    config = calls[0]["opening"].config
    assert (config.rounds, config.retries, config.budget_time, config.every) == (7, 3, 7200, 90)
    assert (config.publish, calls[0]["resume"]) == (True, True)
    CliRunner().invoke(cli, ["pipeline", FILE, "--forever"])
    assert calls[1]["opening"].config.rounds is None


@pytest.mark.parametrize(
    "options",
    [
        ["--retries", "0"], ["--retries", "-1"], ["--retries", "1000000000"], ["--temperature", "3"],
        ["--temperature", "nan"], ["--rounds", "0"], ["--every", "90"], ["--budget-usd", "inf"],
    ],
)  # fmt: skip
def test_bad_values_start_nothing(options: list[str], calls: list[dict[str, Any]]) -> None:
    done = CliRunner().invoke(cli, ["pipeline", FILE, *options])
    assert (done.exit_code, calls) == (2, [])


def test_rounds_and_forever_contradict(calls: list[dict[str, Any]]) -> None:
    done = CliRunner().invoke(cli, ["pipeline", FILE, "--rounds", "2", "--forever"])
    assert isinstance(done.exception, ConfigError)
    assert calls == []


def test_a_cluster_that_is_not_up_starts_nothing(
    calls: list[dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    done = CliRunner().invoke(cli, ["pipeline", FILE, "--set", "cluster=local"])
    assert isinstance(done.exception, ConfigError)
    assert str(done.exception).startswith(f"no cluster is up in {tmp_path}/.synthcity/clusters")
    assert calls == []


def test_ctrl_c_says_how_to_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "run_pipeline", stopped)
    done = CliRunner().invoke(cli, ["pipeline", FILE])
    assert done.exit_code == 130
    assert "--resume goes on where it was" in done.output


def test_a_job_finds_its_file_and_loses_no_journal(
    calls: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_JOB_CONFIG_JSON_ENV_VAR", "{}")
    monkeypatch.delenv("SYNTHCITY_CLUSTER", raising=False)
    for line, said in (
        (["stayed.yaml"], "the job does not find 'stayed.yaml'"),
        ([FILE], "folder is 'pipelines/quickstart', which Ray removes with the job"),
    ):
        assert said in str(CliRunner().invoke(cli, ["pipeline", *line]).exception)
    assert calls == []
    CliRunner().invoke(cli, ["pipeline", FILE, "--set", "folder=/runs/pipeline"])
    assert len(calls) == 1


def test_status_is_for_people_and_for_scripts(tmp_path: Path) -> None:
    run_loop(tmp_path, CONFIG, StandIn(tmp_path))
    assert "3 rounds of crypto-24h" in CliRunner().invoke(cli, ["pipeline", "status", str(tmp_path)]).output
    told = CliRunner().invoke(cli, ["pipeline", "status", str(tmp_path), "--json"])
    assert json.loads(told.output)["rounds"] == 3


def test_a_rehearsal_has_no_rank_and_a_uid_is_for_ranks_alone(tmp_path: Path) -> None:
    run_loop(tmp_path, CONFIG, StandIn(tmp_path))
    done = CliRunner().invoke(cli, ["pipeline", "status", str(tmp_path), "--rank"])
    assert "nobody else answers there, so there is no rank" in str(done.exception)
    done = CliRunner().invoke(cli, ["pipeline", "status", str(tmp_path), "--uid", "7"])
    assert str(done.exception) == "--uid 7 is for --rank; add it"
