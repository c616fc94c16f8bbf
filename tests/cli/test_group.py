"""Lists of commands: every sentence whole."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from synthcity.cli.main import cli


@pytest.mark.parametrize("group", ["data", "mine", "runs", "vault"])
def test_a_list_of_commands_cuts_no_sentence(group: str) -> None:
    told = CliRunner().invoke(cli, [group, "--help"], terminal_width=80).output
    commands = told[told.index("Commands:") :]
    assert len(commands.splitlines()) > 5
    assert "..." not in commands
    assert max(map(len, commands.splitlines())) <= 80
