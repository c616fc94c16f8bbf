"""The commands that train hand-picked networks: what they ask of a search, and what they print of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from click.testing import CliRunner, Result

from synthcity.cli import handpicked
from synthcity.cli.main import cli
from synthcity.errors import ConfigError
from synthcity.search import run as module
from synthcity.search.journal.folder import write_resolved
from synthcity.search.journal.journal import JOURNAL
from tests.cli.test_search import REPORT
from tests.search.test_run import SWEEP

ROOT = Path(__file__).parents[2]
TRIAL = {"architecture": "lstm>gbm", "parameters": 3000, "seconds": 12.3, "state": "completed"}
TRIALS: list[dict[str, Any]] = [
    {**TRIAL, "id": "c0000", "rationale": "hand-written: tcn_sde", "score": 4260.0, "relative": 0.24},
    {**TRIAL, "id": "c0001", "rationale": "hand-written: lstm_gbm", "score": 4225.0, "relative": -0.59},
    {"id": "c0002", "rationale": "hand-written: bad", "score": None, "relative": None}
    | {"architecture": "gru>gbm", "parameters": None, "seconds": 0.0, "state": "failed"},
]
FAILURE = {"cause": "TrialFailed", "message": "the loss became nan", "trials": ["c0002"], "traceback": ""}
REJECTION = {"stage": "size", "count": 1, "examples": [{"reason": "too many parameters", "config": {"d_model": 64}}]}
FINISHED = {"trials": TRIALS, "failures": [FAILURE], "rejections": [REJECTION]}
Invoke = Callable[..., Result]


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments))


def test_classes_and_another_quick_network_are_understood(calls: list[dict[str, Any]]) -> None:
    named = ("--blocks", "TransformerBlock,LSTM", "--head", "SDEHead")
    for command in ("quick", "experiment"):
        assert invoke(command, *named).exit_code == 0
        network = {"blocks": [{"name": "transformer"}, {"name": "lstm"}], "head": {"name": "sde"}}
        assert calls.pop()["config"].search.candidates == (network,)
    assert invoke("quick", "--head", "GBMHead").exit_code == 0
    assert calls.pop()["config"].search.candidates == ({"blocks": [], "head": {"name": "gbm"}},)
    assert invoke("components", "GBMHead").output.startswith("gbm (head)")


@pytest.mark.parametrize("command", ["quick", "experiment", "sweep"])
def test_epochs_are_told_to_be_steps(command: str) -> None:
    found = invoke(command, "--epochs", "5")
    assert found.exit_code == 2
    assert "a training is counted in steps, on windows drawn anew: say --steps 500" in found.output


def test_prints_networks_side_by_side_before_the_verdict(calls: list[dict[str, Any]]) -> None:
    lines = invoke("sweep").stdout.splitlines()
    start = next(at for at, line in enumerate(lines) if line.startswith("trial"))
    titles = " ".join(lines[start].split())
    assert titles == "trial network parameters seconds score over fhs state"
    assert lines[start - 2] == "leads over fhs in percent, minus is better."
    first, second, third = (line.split() for line in lines[start + 1 : start + 4])
    assert first == ["c0001", "lstm_gbm", "lstm>gbm", "3,000", "12", "4225.0", "−0.59", "%", "completed"]
    assert (second[1], third[1], third[-1]) == ("tcn_sde", "bad", "failed")
    assert lines[start + 4] == "failed: c0002: the loss became nan"
    assert lines[start + 5] == "not trained: {'d_model': 64}: too many parameters"
    assert REPORT["verdict"]["sentence"] in lines[start + 6 :]  # type: ignore[index]


def test_no_word_of_the_table_is_cut_at_eighty_columns(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    preset, own = "hand-written: transformer_lstm_gbm", "hand-written: transformer+lstm>gbm d32"
    rows = [{**TRIALS[1], "rationale": why, "architecture": "transformer+lstm>gbm d32 h48"} for why in (preset, own)]
    told: Any = {"validation_baselines": {"fhs": 4250.0}, "trials": rows, "failures": [], "rejections": []}
    handpicked._print_trials(told)
    text = click.unstyle(capsys.readouterr().out)
    assert max(map(len, text.splitlines())) <= 80
    for word in ("parameters", "seconds", "score", "completed", "transformer_lstm_gbm", "\N{MINUS SIGN}0.59 %"):
        assert word in text
    assert text.count("transformer+lstm>gbm") == 2, "a network of one's own is named once"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["experiment", "--blocks", "lstm,tnc"], "unknown block 'tnc'; did you mean 'tcn'"),
        (["experiment", "--head", "gmb"], "unknown head 'gmb'; did you mean 'gbm'"),
        (["experiment", "--set", "d_model=33"], "d_model is 33; it must be one of"),
        (["experiment", "--set", "search.rung=3"], "unknown key 'search.rung'; did you mean 'search.rungs'"),
        (["experiment", "absent.yaml"], "cannot read the sweep file 'absent.yaml'"),
        (["sweep", "--presets", "lstm_gbm,tcn_sd"], "unknown preset 'tcn_sd'; did you mean 'tcn_sde'"),
        (["sweep", "--presets", ","], "--presets names no preset"),
        (["quick", "--name", "../up"], "name must be a plain folder name"),
    ],
)
def test_bad_input_is_one_sentence_and_makes_nothing(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(module, "load_data", lambda config: pytest.fail("prices were loaded"))
    result = invoke(*arguments)
    assert isinstance(result.exception, ConfigError), result.output
    assert message in str(result.exception)
    assert "\n" not in str(result.exception)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", [("--steps", "0"), ("--seed", "-1")])
def test_bad_options_are_usage_errors(arguments: tuple[str, str]) -> None:
    result = invoke("experiment", *arguments)
    assert (result.exit_code, arguments[0] in result.stderr) == (2, True)


def test_stopping_says_how_to_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(config: Any, **options: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "search", stopped)
    result = invoke("quick")
    assert (result.exit_code, "--resume" in result.stderr) == (130, True)


@pytest.mark.parametrize("name", ["experiment", "quick", "sweep"])
def test_help_teaches_by_example(name: str) -> None:
    text = invoke(name, "--help").stdout
    assert f"  synthcity {name}" in text.split("Usage", 1)[1].split("Options")[0]


@pytest.mark.slow
def test_a_sweep_ends_in_a_verdict_and_resumes_to_the_same(tmp_path: Path) -> None:
    sweep = tmp_path / "tiny.yaml"
    sweep.write_text(yaml.safe_dump({**SWEEP, "output": str(tmp_path / "runs")}))
    command = [sys.executable, "-c", "from synthcity.cli.main import main; main()", "sweep", str(sweep)]
    command += ["--presets", "summary_gbm,lstm_gbm", "--steps", "6"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    outputs = []
    for resume in ([], ["--resume"]):
        done = subprocess.run([*command, *resume], env=environment, capture_output=True, text=True, timeout=500)
        assert done.returncode == 0, done.stdout + done.stderr
        outputs.append(done.stdout)
    report = json.loads((tmp_path / "runs" / "sweep" / "report.json").read_text())
    assert [trial["rationale"] for trial in report["trials"]] == ["hand-written: summary_gbm", "hand-written: lstm_gbm"]
    assert all(trial["curve"][-1][0] == 6 for trial in report["trials"])
    assert report["verdict"]["sentence"] in outputs[0]
    assert outputs[0].splitlines()[-15:] == outputs[1].splitlines()[-15:]


@pytest.mark.parametrize(
    ("start", "again"),
    [
        (["experiment", "--blocks", "gru", "--steps", "70"], ["experiment"]),
        (["sweep", "--presets", "tcn_sde"], ["sweep"]),
    ],
)
def test_a_resumed_run_needs_no_flag_again(
    calls: list[dict[str, Any]], start: list[str], again: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert invoke(*start).exit_code == 0
    begun = calls[0]["config"]
    folder = tmp_path / "runs" / start[0]
    folder.mkdir(parents=True)
    write_resolved(folder, begun)
    (folder / JOURNAL).write_text("{}\n")
    assert invoke(*again, "--resume").exit_code == 0
    assert calls[1]["config"] == begun
    other = invoke(
        start[0], *(["--blocks", "lstm"] if start[0] == "experiment" else ["--presets", "lstm_gbm"]), "--resume"
    )
    assert other.exit_code == 0
    assert calls[2]["config"] != begun  # and the search refuses it
