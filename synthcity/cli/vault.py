"""``synthcity vault``: what is kept elsewhere, too."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from synthcity.cli.group import Group
from synthcity.cli.options import LocalPath, Output
from synthcity.cli.progress import progress
from synthcity.cli.table import print_table

if TYPE_CHECKING:
    from synthcity.vault import Entry
    from synthcity.vault.layout import Kind

_KINDS: tuple[Kind, ...] = ("run", "bundle", "prices")
_VAULT = click.option(
    "--vault",
    "address",
    default="",
    metavar="FOLDER|s3://BUCKET/PREFIX",
    help="Which; by default the bucket that HIPPIUS_BUCKET names.",
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_RUNS = click.option(
    "--runs",
    type=LocalPath(path_type=Path, file_okay=False),
    default="runs",
    show_default=True,
    help="Folder of the runs, in which outbox.jsonl holds what could not be sent.",
)


@click.group(cls=Group)
def command() -> None:
    """Keep runs, bundles and price stores in a second place: a folder or a bucket.

    A vault is a mirror. Everything works without one, nothing waits for it, and
    what it takes is never changed: a run that goes on is pushed again beside what
    was pushed before, and files that did not change are not sent twice.

    \b
    On another disk, without any account:
      synthcity vault push runs/sweep --vault /mnt/vault
      synthcity vault list --vault /mnt/vault
      synthcity vault pull sweep --to runs/sweep-again --vault /mnt/vault
    On Hippius, or elsewhere on S3 (pip install 'synth-city[vault]'), with
    HIPPIUS_ACCESS_KEY, HIPPIUS_SECRET_KEY and HIPPIUS_BUCKET in the environment:
      synthcity vault check
      synthcity vault push data/store
    """


@command.command()
@_VAULT
@_JSON
def check(address: str, as_json: bool) -> None:
    """Say whether the vault can be used, or what is wrong and what helps.

    An object of a few bytes is written, read back and removed.

    \b
    Example:
      synthcity vault check --vault /mnt/vault
    """
    from synthcity.vault import open_vault

    vault = open_vault(address)
    vault.check()
    _answer({"vault": vault.name, "usable": True}, f"{vault.name} can be read and written", as_json)


@command.command()
@click.argument("folders", nargs=-1, required=True, type=LocalPath(path_type=Path, exists=True, file_okay=False))
@_VAULT
@_RUNS
@_JSON
def push(folders: tuple[Path, ...], address: str, runs: Path, as_json: bool) -> None:
    """Push FOLDERS: runs, bundles or price stores, whichever each of them is.

    Of a run go its journal, report, bundle and what is needed to resume it; of a store each day in a file of its own,
    and the next time the days that are new. What cannot be sent now stays in the outbox for `synthcity vault flush`.
    How far it is stands on standard error: a bar on a terminal, else a line every ten seconds.

    \b
    Example:
      synthcity vault push runs/sweep data/store --vault /mnt/vault
    """
    from synthcity.vault import open_vault
    from synthcity.vault.outbox import OUTBOX, Outbox

    vault, outbox = open_vault(address), Outbox(runs / OUTBOX)
    entries = []
    for folder in folders:
        with progress(f"push {folder.resolve().name}", "MB", 1e6, 1) as tell:
            entries.append(outbox.deliver(vault, folder, tell))
    lines = [f"{entry.kind} {entry.name}: {_amount(entry)} in {vault.name} as {entry.id}" for entry in entries]
    _answer([_told(entry) for entry in entries], "\n".join(lines), as_json)


@command.command()
@click.argument("what", metavar="NAME|ID")
@click.option("--to", "folder", type=Output(is_folder=True), help="New folder; by default ./NAME.")
@click.option("--kind", type=click.Choice(_KINDS), help="Where a run, a bundle and a store have one name.")
@_VAULT
@_JSON
def pull(what: str, folder: Path | None, kind: str | None, address: str, as_json: bool) -> None:
    """Restore a run, bundle or price store exactly as it was pushed last, or as ID names it.

    Every file is held against its hash. Folders that are there stay as they are; a price store gets the days that it
    lacks.

    \b
    Example:
      synthcity vault pull sweep --to runs/sweep --vault /mnt/vault
    """
    from synthcity.vault import find, open_vault
    from synthcity.vault import pull as restore

    vault = open_vault(address)
    entry = find(vault, what, [each for each in _KINDS if kind in (None, each)])
    folder = Path(entry.name) if folder is None else folder
    written = restore(vault, entry, folder)
    text = f"{entry.kind} {entry.name}: {len(written):,} of {_amount(entry)} written to {folder}"
    _answer({**_told(entry), "folder": str(folder), "written": len(written)}, text, as_json)


@command.command("list")
@click.option("--kind", type=click.Choice(_KINDS), help="Only these.")
@_VAULT
@_JSON
def list_(kind: str | None, address: str, as_json: bool) -> None:
    """List what the vault holds, the last pushed first, each as it was pushed last.

    \b
    Example:
      synthcity vault list --kind run
    """
    from synthcity.market.times import format_time
    from synthcity.vault import list_bundles, list_runs, list_stores, open_vault

    vault = open_vault(address)
    lists = {"run": list_runs, "bundle": list_bundles, "prices": list_stores}
    chosen = [each for name, each in lists.items() if kind in (None, name)]
    entries = [entry for each in chosen for entry in each(vault, _warn)]
    if as_json:
        click.echo(json.dumps([_told(entry) for entry in entries], indent=1))
    elif entries:
        rows = [[entry.id, format_time(int(entry.time)), entry.kind, _state(entry), entry.name] for entry in entries]
        print_table(["id", "pushed (UTC)", "kind", "state", "name"], rows)
    else:
        click.echo(f"{vault.name} holds nothing of that")


@command.command()
@_RUNS
@_JSON
def flush(runs: Path, as_json: bool) -> None:
    """Send what could not be sent, to the vault that it was meant for.

    Exit code 3 where something stays.

    \b
    Example:
      synthcity vault flush --runs runs
    """
    from synthcity.vault import open_vault
    from synthcity.vault.outbox import OUTBOX, Outbox

    sent = list(Outbox(runs / OUTBOX).flush(open_vault))
    lines = [f"{each.owed.folder}: " + (f"stays: {each.reason}" if each.reason else "sent") for each in sent]
    rows = [
        {"folder": each.owed.folder, "vault": each.owed.vault, "id": each.entry and each.entry.id}
        | ({"reason": each.reason} if each.reason else {})
        for each in sent
    ]
    _answer(rows, "\n".join(lines) or "nothing is owed", as_json)
    if any(each.reason for each in sent):
        sys.exit(3)


def _answer(data: object, text: str, as_json: bool) -> None:
    click.echo(json.dumps(data, indent=1) if as_json else text)


def _warn(problem: str) -> None:
    click.echo(f"warning: {problem}", err=True)


def _told(entry: Entry) -> dict[str, object]:
    """Return an index as JSON, its files counted."""
    from synthcity.schema import plain

    return {**plain(entry), "files": len(entry.files), "bytes": entry.size}


def _amount(entry: Entry) -> str:
    return f"{len(entry.files):,} files, {entry.size / 1e6:,.1f} MB"


def _state(entry: Entry) -> str:
    if entry.run is None:
        return f"{len(entry.files):,} files"
    if entry.run.verdict is None:
        return entry.run.state
    return "proven" if entry.run.verdict.proven else "not proven"
