from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from synthcity.cli.search import command
from synthcity.errors import ConfigError
from synthcity.search import run
from synthcity.search.config import load_config
from synthcity.search.screen.summary import summary

VERDICT = {
    "sentence": "Proven: mix scores 0.50 % better.",
    "proven": True,
    "winner_is_baseline": False,
    "challenger": "mix",
    "winner": "mix",
    "proven_against": {"fhs": True, "ewma": False},
}
REPORT = {
    "arms": [],
    "repairs": [],
    "choice": "mix is frozen: so",
    "cuts": [],
    "config": {},
    "trials": [],
    "run": {
        "name": "quick",
        "competition": "crypto-24h",
        "is_simulated": False,
        "assets": ["BTC", "ETH"],
        "time_budget": None,
        "seconds": 60.0,
    },
    "verdict": VERDICT,
    "scores": [
        {"name": "mix", "by_asset": {"BTC": 3450.0, "ETH": 5000.0}, "mean": 4225.0},
        {"name": "fhs", "by_asset": {"BTC": 3470.0, "ETH": 5030.0}, "mean": 4250.0},
        {"name": "ewma", "by_asset": {"BTC": 3490.0, "ETH": 5050.0}, "mean": 4270.0},
    ],
    "leads": {
        "fhs": {"mean": -0.59, "low": -0.8, "high": -0.4, "by_asset": {}},
        "ewma": {"mean": -1.05, "low": None, "high": None, "by_asset": {}},
    },
}


SHIPPED = Path(__file__).parents[2] / "configs" / "quickstart.yaml"


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[dict[str, Any]]:
    seen: list[dict[str, Any]] = []

    def search(config: Path, **options: Any) -> Any:
        seen.append({"config": config, **options})
        folder = tmp_path / "runs" / "quick"
        return SimpleNamespace(
            report=REPORT, folder=folder, winner=folder / "winner", page=folder / "report.html", vault=None
        )

    monkeypatch.setattr(run, "search", search)
    return seen


def test_passes_on_what_was_asked(calls: list[dict[str, Any]]) -> None:
    result = CliRunner().invoke(command, [str(SHIPPED), "--set", "search.trials=3", "--name", "7", "--resume"])
    assert result.exit_code == 0, result.output
    assert calls[0]["config"] == SHIPPED
    assert calls[0]["settings"] == ("search.trials=3", 'name="7"')
    assert calls[0]["resume"] is True
    assert calls[0]["command"].split()[0] == "synthcity"


def test_prints_verdict_table_and_paths(calls: list[dict[str, Any]]) -> None:
    output = CliRunner().invoke(command, [str(SHIPPED)]).output
    assert "Proven: mix scores 0.50 % better." in output
    fhs = next(line for line in output.splitlines() if line.startswith("fhs"))
    assert fhs.split()[:4] == ["fhs", "3470.0", "5030.0", "4250.0"]
    assert re.search(r"−0.59 % +−0.80 to −0.40 %  proven$", fhs)
    assert "lead of mix" in output
    assert "mix is frozen: so." in output
    ewma = next(line for line in output.splitlines() if line.startswith("ewma"))
    assert re.search(r"−1.05 %  too few days for an interval  not proven$", ewma)
    for name in ("run folder", "bundle", "report"):
        assert any(line.startswith(name) for line in output.splitlines())


def test_a_baseline_that_wins_is_not_passed_off_as_found() -> None:
    report = {**REPORT, "verdict": {**VERDICT, "winner_is_baseline": True, "challenger": "c0001"}}
    result: Any = SimpleNamespace(
        report=report, folder=Path("r"), winner=Path("r/winner"), page=Path("r/report.html"), vault=None
    )
    assert "lead of c0001" in summary(result)


def test_proposals_without_the_language_model_are_told_with_the_reason() -> None:
    away = {"proposals": 0, "away": 7, "reason": "stopped: no key", "questions": 0, "in_vain": 0}
    arms = [{"name": "tpe", "proposals": 7, "away": 0, "reason": ""}]
    arms += [{"name": name, **away} for name in ("llm.refine", "llm.structure")]
    result: Any = SimpleNamespace(
        report={**REPORT, "arms": arms}, folder=Path("r"), winner=Path("r/w"), page=Path("r/p"), vault=None
    )
    (line,) = [line for line in summary(result).splitlines() if line.startswith("no language model")]
    parts = "llm.refine away for 7 of 7 proposals, llm.structure away for 7 of 7 proposals"
    assert line == f"no language model: stopped: no key ({parts})"


def test_questions_in_vain_are_told_even_where_the_model_was_never_away() -> None:
    arms = [
        {"name": "llm.refine", "proposals": 1, "away": 0, "reason": "", "questions": 3, "in_vain": 2},
        {"name": "llm.structure", "proposals": 1, "away": 0, "reason": "", "questions": 1, "in_vain": 0},
    ]
    result: Any = SimpleNamespace(
        report={**REPORT, "arms": arms}, folder=Path("r"), winner=Path("r/w"), page=Path("r/p"), vault=None
    )
    said = "questions to the language model that brought nothing: 2 of 3 by llm.refine; the report says why"
    assert said in summary(result).splitlines()


def test_stopping_says_how_to_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(config: Path, **options: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(run, "search", stopped)
    result = CliRunner().invoke(command, [str(SHIPPED)])
    assert result.exit_code == 130
    assert "--resume" in result.output


def test_a_name_must_be_one(calls: list[dict[str, Any]]) -> None:
    assert isinstance(CliRunner().invoke(command, [str(SHIPPED), "--name", "a/b"]).exception, ConfigError)
    assert CliRunner().invoke(command, [str(SHIPPED), "--name", "it's: 7"]).exit_code == 0
    assert load_config(SHIPPED, calls[0]["settings"]).name == "it's: 7"


def test_a_job_whose_cluster_keeps_runs_pushes_its_own_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[tuple[str | None, tuple[str, ...]]] = []

    def train(_: Path, known: Any, **values: Any) -> None:
        kept.append((known.vault, values["settings"]))

    monkeypatch.setattr("synthcity.cli.search.train", train)
    monkeypatch.setattr("synthcity.cluster.job.storage", lambda: "s3://bucket/syntha")
    sweep = str(Path(__file__).parents[2] / "configs/quickstart.yaml")
    assert CliRunner().invoke(command, [sweep]).exit_code == 0
    own = f"vault={tmp_path}"
    assert CliRunner().invoke(command, [sweep, "--set", own]).exit_code == 0
    assert kept == [("s3://bucket/syntha", ('vault="s3://bucket/syntha"',)), (str(tmp_path), (own,))]
