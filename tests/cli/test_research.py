"""``synthcity research``, on a small world."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from synthcity.agents.client import LLMClient
from synthcity.cli.research import command as research
from synthcity.errors import ConfigError, DataError
from synthcity.lines import read_all

SMALL = (
    "prices.assets=[BTC]",
    "prices.world.days=108",
    "every=11h",
    "trials=2",
    "folds.parts=1",
    "folds.learn=[2025-03-04, 2025-03-20]",
    "folds.find=[2025-03-20, 2025-04-01]",
    "folds.confirm=[2025-04-01, 2025-04-18]",
)


def run(*arguments: str, output: Path) -> Result:
    settings = [word for setting in SMALL for word in ("--set", setting)]
    given = [*settings, "--output", str(output), "--library", str(output / "library"), *arguments]
    return CliRunner().invoke(research, given)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    output = tmp_path_factory.mktemp("runs")
    return output, run("--rounds", "2", "--set", "prices.world.seed=3", output=output)


def test_a_research_ends_with_its_table_and_its_secret(done: tuple[Path, Result]) -> None:
    output, result = done
    assert result.exit_code == 0, result.output
    assert "control" in result.stdout
    assert "what was planted: " in result.stdout
    folder = output / "research"
    told = json.loads((folder / "result.json").read_text())
    (arm,) = told["arms"]
    assert (arm["rounds"], arm["tests"]) == (2, 4)
    events = read_all(folder / "labbook.jsonl")
    assert [event["kind"] for event in events].count("tried") == 4
    assert (folder / "resolved.yaml").exists()


def test_the_next_one_has_a_folder_of_its_own_and_time_ends_it(done: tuple[Path, Result]) -> None:
    output, _ = done
    result = run("--hours", "0.001", "--rounds", "1000", output=output)
    assert result.exit_code == 0, result.output
    assert "time was over in round" in result.stdout
    assert (output / "research-2" / "result.json").exists()


def test_a_world_that_is_too_short_and_prices_that_begin_late_are_told(tmp_path: Path) -> None:
    result = run("--set", "prices.world.days=40", output=tmp_path)
    assert isinstance(result.exception, ConfigError)
    assert "give it more days" in str(result.exception)
    result = run("--set", "folds.learn=[2025-01-02, 2025-02-01]", output=tmp_path)
    assert isinstance(result.exception, DataError)
    assert not (tmp_path / "research").exists()


def test_folders_may_have_any_name(tmp_path: Path) -> None:
    odd = tmp_path / 'it\'s: 7 "here" # '
    result = run("--hours", "0.001", output=odd)
    assert result.exit_code == 0, result.output
    assert (odd / "research" / "result.json").exists()


def test_a_model_that_is_not_asked_leaves_nothing_open(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    closed = []
    monkeypatch.setattr(LLMClient, "close", lambda self: closed.append(self))
    monkeypatch.delenv("SYNTHCITY_LLM_BASE_URL", raising=False)
    result = run("--set", "prices.world.days=40", output=tmp_path)
    assert isinstance(result.exception, ConfigError)
    assert "the control works alone" in result.output
    assert len(closed) == 1


def test_a_research_goes_on_in_its_folder_under_its_own_file(done: tuple[Path, Result], tmp_path: Path) -> None:
    output, _ = done
    folder = tmp_path / "research"
    shutil.copytree(output / "research", folder)
    lines = (folder / "labbook.jsonl").read_text().splitlines(keepends=True)
    (folder / "labbook.jsonl").write_text("".join(lines[: len(lines) // 2]))
    (folder / "result.json").unlink()
    result = CliRunner().invoke(research, ["--resume", str(folder)])
    assert result.exit_code == 0, result.output
    told = [json.loads((where / "result.json").read_text()) for where in (folder, output / "research")]
    assert told[0]["arms"] == told[1]["arms"]
    refused = CliRunner().invoke(research, ["--resume", str(folder), "--rounds", "9", "--set", "seed=1"])
    assert isinstance(refused.exception, ConfigError)
    assert str(refused.exception).endswith("leave out --set, --rounds")
    empty = CliRunner().invoke(research, ["--resume", str(tmp_path)])
    assert "holds no research to go on with" in str(empty.exception)
