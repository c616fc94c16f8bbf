"""``synthcity research``: find inputs and forecasters that are not packaged, and prove them."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from synthcity.cli.options import Finite, LocalPath, Output

if TYPE_CHECKING:
    from synthcity.agents.client import LLMClient
    from synthcity.research.config import ResearchConfig


@click.command("research")
@click.option("--config", "path", type=LocalPath(path_type=Path), help="Research file, see configs/research.yaml.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Set any key of the research file.")
@click.option("--rounds", type=click.IntRange(1, 1000), help="Rounds of each arm, in place of the file's.")
@click.option("--hours", type=Finite(0.001, 8784), help="Stop finding after so many hours; claims are still asked.")
@click.option(
    "--budget-usd", type=Finite(0, 1e6), help="What the language model may cost in all, in place of llm.caps."
)
@click.option("--base-url", help="Address of the model's server, in place of SYNTHCITY_LLM_BASE_URL.")
@click.option(
    "--resume",
    type=LocalPath(path_type=Path),
    metavar="FOLDER",
    help="Go on with the research of this folder, under its own file.",
)
@click.option("--library", type=Output(is_folder=True), help="Where goes what is kept.  [default: runs/library]")
@click.option("--output", type=Output(is_folder=True), help="Where the run's folder goes.  [default: runs]")
def command(
    path: Path | None,
    settings: tuple[str, ...],
    rounds: int | None,
    hours: float | None,
    budget_usd: float | None,
    base_url: str | None,
    resume: Path | None,
    library: Path | None,
    output: Path | None,
) -> None:
    """Find inputs and forecasters that are not packaged, and prove them on days that nobody looked at before.

    An input is tested by what it adds to the volatility that a baseline expects: the same law with and without it,
    prompt by prompt, without draws. What looks good on the folds for finding may be claimed, and each claim is asked
    once of the fold for confirming. Without a file it works on a simulated market in which something may be planted,
    and tells what at the end.

    A language model (docs/agents.md), where one is set, looks at residuals, writes inputs, and whole forecasters that
    the network's score is to tell from the baseline, and has them tested; a control draws as many inputs from a small
    grammar. Without a model, or with --budget-usd 0, the control works alone.

    A research that was stopped or killed goes on with --resume: what its lab book tells is not tested again, and what
    its model answered is not asked again. --hours and --budget-usd may then be others.

    \b
    On a simulated market, two minutes:
      synthcity research --rounds 4
    Another one, more trials a round:
      synthcity research --set prices.world.seed=3 --set trials=8
    With a language model, for two dollars at most:
      synthcity research --rounds 10 --budget-usd 2
    On real prices:
      synthcity research --config configs/research.yaml --set prices.path=prices
    After a stop or a kill:
      synthcity research --resume runs/research
    What was kept:
      synthcity library list
    """
    from synthcity.cli.table import print_table
    from synthcity.documents import write_setting
    from synthcity.errors import ConfigError
    from synthcity.research.config import load_config
    from synthcity.research.folder import RESOLVED, new_folder, resumed_folder
    from synthcity.research.result import TABLE, claim_lines, table_rows
    from synthcity.research.run import research
    from synthcity.wording import bounds, percent

    given = [f"rounds={rounds}"] * (rounds is not None) + [f"time_budget={hours}h"] * (hours is not None)
    caps = ("usd_per_run", "usd_per_agent")
    given += [f"llm.caps.{cap}={budget_usd}" for cap in caps] * (budget_usd is not None)
    folders = (("library", library), ("output", output))
    given += [write_setting(key, str(where)) for key, where in folders if where is not None]
    if resume is None:
        config = load_config(path, [*settings, *given])
        folder = new_folder(config)
    else:
        others = {"--config": path, "--set": settings, "--rounds": rounds, "--library": library, "--output": output}
        if wrong := [name for name, value in others.items() if value]:
            raise ConfigError(f"--resume goes on under the file in {resume}; leave out {', '.join(wrong)}")
        folder = resumed_folder(resume)
        config = load_config(folder / RESOLVED, given)
    with ExitStack() as stack:
        client = _client(config, folder, base_url, again=resume is not None)
        if isinstance(client, str):
            click.echo(f"the control works alone: {client}")
        result = research(
            config,
            folder,
            client=None if isinstance(client, str) else stack.enter_context(client),
            tell=click.echo,
            resume=resume is not None,
        )
    click.echo()
    print_table(TABLE, table_rows(result), right=TABLE[1:])
    for line in claim_lines(result):
        click.echo(line)
    if result.known_months:
        click.echo(f"months that the model may have known: {', '.join(result.known_months)}")
    for note in result.notes:
        click.echo(note)
    if result.world is not None:
        planted = ", ".join(f"{key} {value}" for key, value in result.world.items() if key != "kind")
        click.echo(f"what was planted: {result.world['kind']}" + (f" ({planted})" if planted else ""))
    if result.oracle is not None:
        mean, low, high = result.oracle
        click.echo(f"an input that knew it would gain {percent(mean, 3)} ({bounds(low, high)})")
    click.echo(f"saved in {folder}")


def _client(config: ResearchConfig, folder: Path, base_url: str | None, *, again: bool) -> LLMClient | str:
    """Return the language model that is set, or why there is none to ask."""
    from synthcity.agents.client import LLMClient
    from synthcity.settings import Settings

    if config.llm.caps.usd_per_run == 0:
        return "its language model may cost nothing (llm.caps.usd_per_run is 0)"
    environ = dict(os.environ) | ({} if base_url is None else {"SYNTHCITY_LLM_BASE_URL": base_url})
    client = LLMClient(Settings.load(environ), config.llm, folder=folder, again=again)
    if client.availability.ready:
        return client
    client.close()
    return client.availability.reason
