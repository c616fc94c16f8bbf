"""``synthcity cluster``: several nodes that a search's trials run on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from synthcity.cli.group import Group
from synthcity.cli.options import LocalPath
from synthcity.cli.rentals import reap, rentals
from synthcity.cli.table import print_table

if TYPE_CHECKING:
    from synthcity.cluster.folder import Folder, Head
    from synthcity.cluster.package import Package

_FILE = click.argument("file", type=LocalPath(path_type=Path))
_NAME = click.argument("name", required=False)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_STATE = click.option(
    "--state",
    type=LocalPath(path_type=Path, file_okay=False),
    default="~/.synthcity/clusters",
    show_default=True,
    help="Folder in which clusters that are up are noted.",
)


@click.group(cls=Group)
def command() -> None:
    """Start, watch and end a cluster of nodes that come and go with the work there is.

    \b
      synthcity cluster check clusters/local.yaml
      synthcity cluster up clusters/local.yaml
      synthcity cluster status
      synthcity cluster down
    """


command.add_command(rentals)
command.add_command(reap)


@command.command()
@_FILE
@click.option(
    "--working-dir",
    type=LocalPath(path_type=Path, exists=True, file_okay=False),
    help="Tell what of this folder would travel with a job, and what would not.",
)
@_JSON
def check(file: Path, working_dir: Path | None, as_json: bool) -> None:
    """Tell every mistake of a cluster FILE at once, or what it says."""
    from dataclasses import asdict

    from synthcity.cluster.plan import load_plan
    from synthcity.schema import plain

    plan = load_plan(file)
    package = None
    if working_dir is not None:
        from synthcity.cluster.package import survey

        package = survey(working_dir)
    if as_json:
        click.echo(json.dumps(plain(plan) | ({} if package is None else {"package": asdict(package)})))
        return
    for name, kind in plan.nodes.items():
        nodes = f"{kind.max_nodes} node{'s' if kind.max_nodes > 1 else ''} {name!r}"
        click.echo(f"{plan.name}: up to {nodes} of {kind.cpus} CPU{'s' if kind.cpus > 1 else ''} ({kind.market})")
    if package is not None:
        _tell(package)


@command.command()
@_FILE
@_STATE
@_JSON
@click.option(
    "--dry-run", is_flag=True, help="Check the file and the ports, print what Ray would be told, start nothing."
)
def up(file: Path, state: Path, as_json: bool, dry_run: bool) -> None:
    """Start the head of a cluster as FILE says, and tell how jobs are submitted to it.

    Nodes come when there are trials for them and go when there are none. Jobs
    work in the folder in which this was called: their runs are there afterwards.
    """
    from synthcity.cluster.autoscaling import autoscaling
    from synthcity.cluster.folder import folder_of
    from synthcity.cluster.head import check_ports
    from synthcity.cluster.head import up as start
    from synthcity.cluster.plan import load_plan
    from synthcity.documents import write_yaml
    from synthcity.errors import ConfigError
    from synthcity.extras import OF_DASHBOARD, need

    plan = load_plan(file)
    if plan.is_rented:
        raise ConfigError("nodes of the market basilica cannot be reached yet; use local ones")
    folder = folder_of(state, plan.name)
    if dry_run:
        check_ports(plan)
        told = autoscaling(plan, folder.path)
        click.echo(json.dumps(told) if as_json else write_yaml(told).rstrip())
        return
    need("a cluster", "cluster", *OF_DASHBOARD)
    if not as_json:
        click.echo(f"starting the head of {plan.name} ...")
    head = start(plan, folder, Path.cwd())
    if as_json:
        click.echo(
            json.dumps({"name": plan.name, "dashboard": head.url, "token": str(folder.token), "home": head.home})
        )
    else:
        click.echo(_told(plan.name, folder, head))


@command.command()
@_NAME
@_STATE
@_JSON
def status(name: str | None, state: Path, as_json: bool) -> None:
    """Show nodes, jobs, and what waits for nodes, of the cluster NAME or the only one that is up."""
    from dataclasses import asdict

    from synthcity.cluster.folder import find_up
    from synthcity.cluster.status import status as ask

    folder, head = find_up(state, name)
    found = ask(folder, head)
    if as_json:
        waiting = [{"needs": needs, "count": count} for needs, count in found.waiting]
        told = {"name": folder.path.name, "dashboard": head.url, **asdict(found), "waiting": waiting}
        click.echo(json.dumps(told))
        return
    click.echo(f"{folder.path.name}: {head.url}, jobs work in {head.home}")
    if found.nodes:
        rows = [
            [one.name or "-", one.kind, one.state, f"{one.used_cpus:g}/{one.cpus:g}", f"{one.used_gpus:g}/{one.gpus:g}"]
            for one in found.nodes
        ]
        print_table(["node", "kind", "state", "cpus", "gpus"], rows, right=("cpus", "gpus"))
    else:
        click.echo("no nodes; they come once there is work")
    for needs, count in found.waiting:
        click.echo(f"waiting for nodes: {count} with {needs} each")
    for job in found.jobs:
        click.echo(f"job {job.id} {job.state.lower()}: {job.command}")


@command.command()
@_NAME
@_STATE
@click.option("--yes", is_flag=True, help="Ask nothing.")
def down(name: str | None, state: Path, yes: bool) -> None:
    """End the cluster NAME, which may be left out where one is up, and all its nodes."""
    from synthcity.cluster.folder import find_up
    from synthcity.cluster.head import down as end

    folder, _ = find_up(state, name)
    if not yes:
        click.confirm(f"end the cluster {folder.path.name} with all its nodes and jobs?", abort=True)
    end(folder)
    click.echo(f"the cluster {folder.path.name} is down")


def _told(name: str, folder: Folder, head: Head) -> str:
    submit = f"RAY_AUTH_MODE=token RAY_AUTH_TOKEN_PATH={folder.token} ray job submit --address {head.url}"
    return "\n".join(
        [
            f"the cluster {name} is up; its dashboard is {head.url}, and asks for the token in {folder.token}",
            "submit a search from a folder that holds its sweep file:",
            f"  {submit} --working-dir . -- synthcity search configs/quickstart.yaml",
            f"it works in {head.home}, so its run is in {head.home}/runs afterwards",
        ]
    )


def _tell(package: Package) -> None:
    click.echo(f"with a job travel {package.size / 2**20:.1f} MiB of 100 that Ray takes")
    if package.is_large:
        largest = ", ".join(f"{name} ({size / 2**20:.1f} MiB)" for name, size in package.largest)
        click.echo(f"name in .rayignore what a search does not need; the largest are {largest}", err=True)
    if package.left:
        click.echo(f"not with it, by .gitignore, .rayignore or Ray itself: {', '.join(package.left)}")
