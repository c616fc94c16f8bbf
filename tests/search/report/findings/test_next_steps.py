"""What to do after a verdict: commands that exist."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import click
import pytest

from synthcity.cli.main import cli
from synthcity.extras import remedy
from synthcity.search.report.findings.next_steps import INSTALL, next_steps
from synthcity.search.report.model import Report
from tests.search.sample_run import sample_report

ROOT = Path(__file__).parents[4]


def report(*, proven: bool, arms: bool = True, simulated: bool = False) -> Report:
    found: Any = sample_report(diagnostics=None, groups=None, venues=["simulated"] if simulated else [])
    found["verdict"] = {**found["verdict"], "proven": proven}
    return found if arms else {**found, "arms": []}


@pytest.mark.parametrize("simulated", [False, True])
@pytest.mark.parametrize("proven", [False, True])
@pytest.mark.parametrize("arms", [False, True])
def test_every_command_exists_with_its_options_and_files(proven: bool, arms: bool, simulated: bool) -> None:
    steps = next_steps(report(proven=proven, arms=arms, simulated=simulated))
    assert 3 <= len(steps) <= 7
    assert INSTALL in steps
    assert INSTALL.command in remedy("serve"), "which is what a command says that misses it"
    for step in steps:
        if step == INSTALL:
            continue
        words = shlex.split(step.command)
        assert words[0] == "synthcity"
        command: click.Command = cli
        while isinstance(command, click.Group):
            words = words[1:]
            found = command.get_command(click.Context(cli), words[0])
            assert found is not None, step.command
            command = found
        context = command.make_context("x", [*words[1:]], resilient_parsing=True)
        assert not context.args, step.command
        known = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= known
        assert all((ROOT / word).is_file() for word in words if word.startswith("configs/"))


def test_what_is_proven_on_real_prices_may_earn_and_what_is_simulated_may_not() -> None:
    def told(**how: bool) -> str:
        return "\n".join(step.command for step in next_steps(report(**how)))  # type: ignore[arg-type]

    assert {"replay", "serve", "combine", "publish"} <= set(told(proven=True).split())
    assert "synthcity mine run" in told(proven=True)
    assert "synthcity runs extend runs/sweep --trials 48" in told(proven=False)
    assert "mine run" not in told(proven=False)
    for proven in (False, True):
        made_up = told(proven=proven, simulated=True)
        assert "mine run" not in made_up
        assert "publish" not in made_up
        assert "synthcity data download" in made_up


def test_the_run_is_named_by_where_it_is_and_quoted() -> None:
    steps = next_steps(report(proven=False), "my runs/a")
    assert "synthcity mine rehearse 'my runs/a/winner'" in [step.command for step in steps]
