from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from synthcity.cli.main import cli
from synthcity.cli.options import Duration, LocalPath


@click.command()
@click.option("--every", type=Duration(1, 3600, whole=True), default="1m")
@click.option("--folder", type=LocalPath(path_type=Path), default=Path("here"))
def command(every: int, folder: Path) -> None:
    click.echo(f"{every} {folder}")


def told(*arguments: str) -> tuple[int, str]:
    found = CliRunner().invoke(command, arguments)
    return found.exit_code, found.output


def test_a_duration_becomes_seconds_and_a_home_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert told() == (0, "60 here\n")
    assert told("--every", "1m30s", "--folder=~/prices") == (0, "90 /home/me/prices\n")


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        ("--every", "90", "'90' must be a duration with its unit, such as 90s, 90min or 90h"),
        ("--every", "soon", "'soon' must be a positive duration such as 90s"),
        ("--every", "2h", "'2h' must be at least 1s and at most 1h"),
        ("--every", "1.5s", "'1.5s' must be whole seconds"),
        ("--folder", "", "'' is no name of a file or folder"),
        ("--folder", "a\0b", "is no name of a file or folder"),
    ],
)
def test_a_wrong_value_is_told_with_the_remedy(option: str, value: str, sentence: str) -> None:
    code, output = told(option, value)
    assert code == 2
    assert sentence in output


@pytest.mark.parametrize(
    "arguments",
    [
        "data simulate --store x --seed -1",
        "experiment --steps 100000000000000000000",
        "quick --seed 100000000000000000000",
        "backtest fhs --data x --from 2025-01-01 --num-paths 1000000000",
        "backtest fhs --data x --from 99999-01-01",
        "mine feed --store x --every 60",
        "mine run fhs --data x --netuid 70000",
        "mine run fhs --data x --ledger-quota nan",
        "mine rank x --uid -1",
        "agent --name planner --turns 1000000000",
    ],
)
def test_what_cannot_be_meant_is_refused_at_once(arguments: str) -> None:
    found = CliRunner().invoke(cli, arguments.split())
    assert found.exit_code == 2
    assert "Error: Invalid value for" in found.output


@pytest.mark.parametrize(
    "arguments",
    [
        ["data", "import", "."],
        ["data", "download", "--assets", "BTC", "--start", "2025-01-01"],
        ["data", "resample"],
        ["data", "simulate"],
        ["mine", "feed"],
    ],
    ids=lambda arguments: " ".join(arguments[:2]),
)
def test_a_store_that_cannot_be_written_to_is_told_before_anything_starts(tmp_path: Path, arguments: list[str]) -> None:
    (tmp_path / "file").touch()
    found = CliRunner().invoke(cli, [*arguments, "--store", str(tmp_path / "file" / "store")])
    assert found.exit_code == 2
    assert f"{tmp_path / 'file'} is no folder (nothing was started)" in found.output
