"""``synthcity search``: from a sweep file to a proven winner."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import click

from synthcity.cli.options import LocalPath
from synthcity.errors import ConfigError


@click.command("search")
@click.argument("config", type=LocalPath(path_type=Path))
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Set any key of the sweep file.")
@click.option("--name", help="Name of the run folder; by default that of the sweep file, numbered.")
@click.option("--track", metavar="NAMES", help="Tell the run to wandb, trackio or both (wandb,trackio) as it goes on.")
@click.option("--resume", is_flag=True, help="Continue a run that was stopped or killed.")
def command(config: Path, settings: tuple[str, ...], name: str | None, track: str | None, resume: bool) -> None:
    """Propose, train and compare networks as the sweep file CONFIG says, and prove the best on unseen prices.

    Try `synthcity search configs/quickstart.yaml`, which needs no data.
    """
    from synthcity.cluster.job import settle
    from synthcity.search.config import load_config

    config = settle(config)
    if name is not None:
        settings = (*settings, f"name={quoted(name)}")
    if track is not None:
        settings = (*settings, f"track=[{track}]")
    load_config(config, settings)  # a typo is told before torch and Ray are loaded

    from synthcity.search.report.display import open_display
    from synthcity.search.report.summary import summary
    from synthcity.search.run import search

    line = shlex.join(["synthcity", *sys.argv[1:]])
    try:
        with open_display() as display:
            result = search(config, settings=settings, resume=resume, display=display, command=line)
    except KeyboardInterrupt:
        click.echo("stopped; the same command with --resume goes on where it was", err=True)
        sys.exit(130)
    click.echo(summary(result))


def quoted(name: str) -> str:
    """Return a run's name as YAML text, so that ``--name 7`` stays a name."""
    if "'" in name:
        raise ConfigError(f"name must be a plain folder name, got {name!r}")
    return f"'{name}'"
