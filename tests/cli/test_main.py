from __future__ import annotations

from pathlib import Path

import pytest
from click.shell_completion import BashComplete
from click.testing import CliRunner

from synthcity.cli import main as module
from synthcity.errors import ConfigError, SourceError


def test_help_lists_every_command() -> None:
    result = CliRunner().invoke(module.cli, ["--help"])
    assert result.exit_code == 0
    for name in module.COMMANDS:
        assert name in result.output


def test_an_unknown_command_names_the_nearest_and_exits_2() -> None:
    result = CliRunner().invoke(module.cli, ["serach"])
    assert result.exit_code == 2
    assert "unknown command 'serach'; did you mean 'search'?" in result.output


@pytest.mark.parametrize(
    "command",
    ["mine feed --store", "data info --store", "serve fhs --data", "backtest fhs --data", "mine run fhs --data"],
)
def test_a_file_in_the_place_of_a_store_is_refused_at_once(command: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = CliRunner().invoke(module.cli, [*command.split(), str(tmp_path / "file")])
    assert result.exit_code == 2
    assert f"Directory '{tmp_path}/file' is a file." in result.output


@pytest.mark.parametrize(("error", "code"), [(ConfigError("wrong key"), 2), (SourceError("venue is down"), 3)])
def test_a_deliberate_error_is_one_sentence_and_its_exit_code(
    error: Exception, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(**_: object) -> None:
        raise error

    monkeypatch.setattr(module, "cli", fail)
    with pytest.raises(SystemExit) as caught:
        module.main()
    assert caught.value.code == code
    assert capsys.readouterr().err == f"error: {error}\n"


def test_the_tab_key_completes_commands_and_options() -> None:
    complete = BashComplete(module.cli, {}, "synthcity", "_SYNTHCITY_COMPLETE")
    assert {item.value for item in complete.get_completions([], "se")} == {"search", "serve"}
    assert "--dashboard" in {item.value for item in complete.get_completions(["search"], "--d")}
