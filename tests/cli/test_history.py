"""``synthcity history``."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from synthcity.cli.history import command
from synthcity.errors import ConfigError, RunError
from tests.history.builders import report, write_run


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    for number, mean in enumerate((-0.3, -0.9, 1.0)):
        told = report(leads={"fhs": {"mean": mean, "low": mean - 0.2, "high": mean + 0.2, "by_asset": {}}})
        told["run"]["started"] += 86_400 * number
        told["verdict"]["proven"] = mean < 0
        write_run(tmp_path / f"run-{number}", told)
    (tmp_path / "other").mkdir()
    return tmp_path


def history(*arguments: str | Path) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def test_standard_output_holds_the_table_alone(runs: Path) -> None:
    done = history("--runs", runs)
    assert done.exit_code == 0, done.output
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["run", "run-1", "run-0", "run-2"]
    assert done.stderr == "left out: 1 entry, foreign\n"


def test_json_is_the_answer_alone(runs: Path) -> None:
    told = json.loads(history("local", "--runs", runs, "--json", "--order", "recent", "--limit", "2").stdout)
    assert [run["id"] for run in told["runs"]] == ["run-2", "run-1"]
    assert (told["total"], told["left_out"]) == (3, {"foreign": 1})


def test_trends_are_drawn_and_told(runs: Path) -> None:
    done = history("--runs", runs, "--trends")
    assert "3 runs; best proven: run-1, −0.90 %, 0.60 points better than the first" in done.stdout
    assert done.stdout.count("*") == 2
    assert json.loads(history("--runs", runs, "--trends", "--json").stdout)["best_run"] == "run-1"


def test_one_run_is_shown_by_its_name_or_as_the_latest(runs: Path) -> None:
    assert "run-2" in history("--runs", runs, "--run", "latest").stdout
    assert json.loads(history("--runs", runs, "--run", "run-0", "--json").stdout)["id"] == "run-0"
    assert isinstance(history("--runs", runs, "--run", "run-7").exception, RunError)
    assert history("--runs", runs, "--run", "latest", "--trends").exit_code == 2


@pytest.mark.parametrize("arguments", [[], ["--trends"]])
def test_nothing_is_no_runs_and_no_error(tmp_path: Path, arguments: list[str]) -> None:
    done = history("--runs", tmp_path, *arguments)
    assert (done.exit_code, done.stdout) == (0, "no runs\n")
    assert history("--runs", tmp_path, "--competition", "crypto-1h").stdout == "no runs\n"


def test_an_unknown_source_is_refused() -> None:
    assert isinstance(history("hipius").exception, ConfigError)


def test_neither_torch_nor_ray_nor_pandas_is_loaded(runs: Path) -> None:
    code = (
        "import sys; from synthcity.cli.history import command\n"
        f"command(['--runs', {str(runs)!r}, '--trends'], standalone_mode=False)\n"
        "print([n for n in ('torch', 'ray', 'pandas', 'optuna', 'numpy') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
