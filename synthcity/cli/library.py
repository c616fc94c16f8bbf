"""``synthcity library``: what researches have kept; a person reads it, promotes it or drops it."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from synthcity.cli.options import LocalPath

_FOLDER = click.option(
    "--library",
    "folder",
    type=LocalPath(path_type=Path, file_okay=False),
    default=Path("runs/library"),
    show_default=True,
    help="Folder of the library.",
)


@click.group("library")
def command() -> None:
    """List, read, promote and drop what researches have kept: inputs and forecasters."""


@command.command("list")
@_FOLDER
def list_items(folder: Path) -> None:
    """List what is kept, oldest first.

    \b
    Example:
      synthcity library list
    """
    from synthcity.cli.table import print_table
    from synthcity.research.library import items
    from synthcity.wording import bounds, percent

    found, problems = items(folder)
    rows = [
        [
            item.name,
            item.status,
            item.origin.kind,
            item.evidence.found.arm,
            item.evidence.competition,
            percent(item.evidence.found.mean, 3),
            percent(item.evidence.confirmed.mean, 3),
            bounds(item.evidence.confirmed.low, item.evidence.confirmed.high),
            str(item.evidence.asked_before),
        ]
        for item in found
    ]
    if rows:
        head = ("name", "status", "what", "by", "competition", "found", "confirmed", "interval", "asked before")
        print_table(head, rows)
    else:
        click.echo(f"{folder} holds nothing; `synthcity research` keeps what holds on days that nobody looked at")
    for problem in problems:
        click.echo(problem, err=True)


@command.command("show")
@click.argument("name")
@_FOLDER
def show(name: str, folder: Path) -> None:
    """Show an input or a forecaster with all its evidence, as JSON, and its text where a model wrote one.

    \b
    Example:
      synthcity library show cycle-37-2-0a1b2c
    """
    from synthcity.research.library import find

    item = find(folder, name)
    data = asdict(item)
    data["origin"] = {kind: made_of for kind, made_of in data["origin"].items() if made_of is not None}
    source = item.origin.text
    if source is not None:
        data["origin"] = item.origin.kind
    click.echo(json.dumps(data, indent=1, ensure_ascii=False))
    if source is not None:
        click.echo(source)


@command.command("promote")
@click.argument("name")
@click.option("--reason", required=True, help="Why, for whoever reads it later.")
@_FOLDER
def promote(name: str, reason: str, folder: Path) -> None:
    """Say that an input or a forecaster was read and is believed.

    \b
    Example:
      synthcity library promote cycle-37-2-0a1b2c --reason "holds since"
    """
    from synthcity.research.library import PROMOTED, decide

    click.echo(f"{decide(folder, name, PROMOTED, reason).name} is promoted")


@command.command("drop")
@click.argument("name")
@click.option("--reason", required=True, help="Why, for whoever reads it later.")
@_FOLDER
def drop(name: str, reason: str, folder: Path) -> None:
    """Say that an input or a forecaster is not believed; it stays in the library, with the reason.

    \b
    Example:
      synthcity library drop cycle-37-2-0a1b2c --reason "an artefact"
    """
    from synthcity.research.library import DROPPED, decide

    click.echo(f"{decide(folder, name, DROPPED, reason).name} is dropped")
