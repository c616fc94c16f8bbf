"""``synthcity agent``: one agent alone, with all it says."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from synthcity.cli.options import LocalPath, Output
from synthcity.errors import ConfigError, LLMError

if TYPE_CHECKING:
    from synthcity.agents.messages import Message

_LONGEST = 1_500  # characters of a message that are shown


@click.command("agent")
@click.option("--name", required=True, help="planner, trainer, checker, debugger, author, publisher, or your own.")
@click.option("--message", default="", help="What it is to do; by default what its role is for.")
@click.option("--run", "run", type=LocalPath(path_type=Path), help="Folder of the run whose history it reads.")
@click.option("--config", type=LocalPath(path_type=Path), help="Sweep file to begin with, without a history.")
@click.option("--trial", help="Failed trial that a debugger looks at; by default the newest.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Set any key of the sweep file.")
@click.option("--base-url", help="Address of the model's server, in place of SYNTHCITY_LLM_BASE_URL.")
@click.option("--turns", type=click.IntRange(1, 1000), default=12, show_default=True, help="Questions at most.")
@click.option("--trust-code", is_flag=True, help="Run what a language model wrote, where the run has such code.")
@click.option("--output", type=Output(is_folder=True), default=Path("runs"), help="Where its folder goes.")
def command(
    name: str,
    message: str,
    run: Path | None,
    config: Path | None,
    trial: str | None,
    settings: tuple[str, ...],
    base_url: str | None,
    turns: int,
    trust_code: bool,
    output: Path,
) -> None:
    """Let one agent work alone with its tools, and show what it said and what the program says of that.

    The chat is saved as chat.json, every exchange as llm.jsonl, in a folder of its own.

    \b
    What would be worth trying, with nothing tried yet:
      synthcity agent --name planner --config configs/quickstart.yaml
    What came of a run:
      synthcity agent --name checker --run runs/quickstart
    Why a trial failed, and what would mend it:
      synthcity agent --name debugger --run runs/quickstart --trial c0007
    What of the runs beside this one may be published, to HF_REPO_ID:
      synthcity agent --name publisher --run runs/sweep
    """
    from synthcity.agents.client import LLMClient
    from synthcity.agents.loop import LoopConfig
    from synthcity.search.roles import find_role
    from synthcity.search.roles.context import RoleContext
    from synthcity.search.roles.role import work
    from synthcity.settings import Settings

    role = find_role(name)
    if (run is None) == (config is None):
        raise ConfigError("name either a run with --run or a sweep file with --config")
    if trial is not None and name != "debugger":
        raise ConfigError(f"--trial is for the debugger, not for the {name}; say it in --message")
    if name == "debugger" and run is None:
        raise ConfigError("a debugger looks at a trial that failed; name its run with --run")
    if name == "publisher" and run is None:
        raise ConfigError("a publisher works on runs; name one of them with --run")
    if settings and config is None:
        raise ConfigError("--set changes a sweep file; give it with --config")
    environ = dict(os.environ) | ({} if base_url is None else {"SYNTHCITY_LLM_BASE_URL": base_url})
    if run is not None:
        context = RoleContext.of_run(run, trust_code=trust_code, trial=trial)
    else:
        context = RoleContext.of_config(_given(config), settings)
    folder = _free(output / f"agent-{name}")
    with LLMClient(Settings.load(environ), context.config.llm, folder=folder) as client:
        if not client.availability.ready:
            raise LLMError(f"{client.availability.reason}, or give it as --base-url")
        outcome = work(role, context, client, folder, message, LoopConfig(turns=turns))
    _show(outcome.agent.messages)
    agent = outcome.agent
    click.echo(f"\n{agent.turns} turns, {agent.spend.usd:.4f} USD; saved in {folder}")
    if not agent.finished:
        raise LLMError(f"the {name} did not finish ({agent.status}): {agent.reason}")
    click.echo("\nWhat the program says:")
    for line in outcome.measured:
        click.echo(f"  {line}")


def _given(path: Path | None) -> Path:
    assert path is not None
    return path


def _free(folder: Path) -> Path:
    """Return the folder, numbered where it is taken."""
    number, found = 1, folder
    while found.exists():
        number += 1
        found = folder.with_name(f"{folder.name}-{number}")
    return found


def _show(messages: Iterable[Message]) -> None:
    for message in messages:
        for line in _lines(message):
            click.echo(f"[{message['role']}] {line}")


def _lines(message: Message) -> list[str]:
    said = [message["content"]] if message.get("content") else []
    for call in message.get("tool_calls", ()):
        function = call["function"]
        said.append(f"{function['name']}({function['arguments']})")
    return [text if len(text) <= _LONGEST else f"{text[:_LONGEST]} [... {len(text):,} characters]" for text in said]
