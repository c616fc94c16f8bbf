"""``synthcity publish``: a proven run leaves the house."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from synthcity.cli.options import LocalPath
from synthcity.errors import RunError

if TYPE_CHECKING:
    from synthcity.publish.gate import Examined
    from synthcity.publish.publish import Prepared, Published


@click.command("publish")
@click.argument("run", type=LocalPath(path_type=Path))
@click.option("--to", default="hub", show_default=True, help="Where: hub, hippius, wandb, trackio, with commas.")
@click.option("--public", is_flag=True, help="Let everybody see it: a new repository is public, an old one may be.")
@click.option("--with-code", is_flag=True, help="Publish components that a language model wrote, too.")
@click.option("--dry-run", is_flag=True, help="Show what the gate finds, the card and the files; send nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(run: Path, to: str, public: bool, with_code: bool, dry_run: bool, as_json: bool) -> None:
    """Publish what the run in the folder RUN has proven: bundle, report and card.

    A gate decides, and nothing gets round it: the run is sealed, its verdict proven against every baseline on real
    prices, by the rules of today; every figure is computed again, and the bundle scores its test prompts as recorded.

    \b
    What would leave, and whether it may:
      synthcity publish runs/sweep --dry-run
    To the private repository HF_REPO_ID, with the token HF_TOKEN:
      synthcity publish runs/sweep
    To the bucket of HIPPIUS_BUCKET too, and to trackers that keep it offline:
      synthcity publish runs/sweep --to hub,hippius,wandb,trackio
    """
    from synthcity.publish.gate import gate
    from synthcity.publish.publish import check_destinations, destinations, prepared, publish
    from synthcity.settings import Settings

    settings, where = Settings.load(), destinations(to)
    if not dry_run:
        check_destinations(where, settings)
        done = publish(run, where, settings=settings, public=public, with_code=with_code)
        for note in (note for one in done.tracked for note in one.notes):
            click.echo(note, err=True)
        click.echo(json.dumps(_done(done), indent=1)) if as_json else _tell(done)
        return
    with gate(run, settings, with_code=with_code) as examined:
        if examined.proof is None:
            if as_json:
                click.echo(json.dumps(_plain(examined, None), indent=1))
            else:
                _findings(examined)
            raise RunError(f"not published: {examined.reason}")
        with prepared(examined.proof, settings) as ready:
            if as_json:
                click.echo(json.dumps(_plain(examined, ready), indent=1))
                return
            _findings(examined)
            click.echo(f"\n{ready.card}")
            for name, file in ready.publication.files.items():
                click.echo(f"{file.size:>12,}  {ready.publication.folder}/{name}")
            click.echo("\nnothing was sent")


def _findings(examined: Examined) -> None:
    for finding in examined.findings:
        click.echo(f"{finding.check:<16}{finding.reason or 'passed'}")


def _plain(examined: Examined, ready: Prepared | None) -> dict[str, object]:
    told: dict[str, object] = {
        "publishable": ready is not None,
        "findings": [{"check": one.check, "reason": one.reason} for one in examined.findings],
    }
    if ready is not None:
        files = {name: file.size for name, file in ready.publication.files.items()}
        told |= {"folder": ready.publication.folder, "files": files, "card": ready.card}
    return told


def _done(done: Published) -> dict[str, object]:
    told: dict[str, object] = {"bundle": done.publication.bundle, "folder": done.publication.folder}
    told["tracked"] = {one.tracker: one.where for one in done.tracked}
    return {**told, "hub": None if done.hub is None else vars(done.hub), "hippius": done.vault or None}


def _tell(done: Published) -> None:
    if done.hub is not None:
        kind = "private" if done.hub.private else "public"
        how = "published" if done.hub.is_new else "was published already, and is there whole"
        click.echo(f"{how} in the {kind} repository {done.hub.repo}\n{done.hub.url}")
    if done.vault:
        click.echo(f"stored as {done.vault}")
    for one in done.tracked:
        click.echo(f"{one.tracker} has it at {one.where}")
