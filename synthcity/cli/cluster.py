"""``synthcity cluster``: several nodes that a search's trials run on."""

from __future__ import annotations

import json
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from synthcity.cli.group import Group
from synthcity.cli.options import LocalPath
from synthcity.cli.rentals import reap, rentals
from synthcity.cli.table import print_table
from synthcity.cluster.job import ROOT
from synthcity.rent.config import written_usd
from synthcity.settings import Settings

if TYPE_CHECKING:
    from synthcity.cluster.folder import Folder, Head
    from synthcity.cluster.package import Package
    from synthcity.cluster.plan import Plan

_NAMED = 20  # files and folders that do not travel with a job
_FILE = click.argument("file", type=LocalPath(path_type=Path))
_NAME = click.argument("name", required=False)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_STATE = click.option(
    "--state",
    type=LocalPath(path_type=Path, file_okay=False),
    default=ROOT,
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
    """Tell every mistake of a cluster FILE at once, or what it says.

    \b
    Example:
      synthcity cluster check clusters/local.yaml --working-dir .
    """
    from dataclasses import asdict

    from synthcity.cli.renting import described, together
    from synthcity.cluster.plan import load_plan
    from synthcity.schema import plain

    plan = load_plan(file)
    settings = Settings.load()
    told = _bounds(plan, settings)
    package = None
    if working_dir is not None:
        from synthcity.cluster.package import survey

        package = survey(working_dir)
    if as_json:
        bound = {"bounds": told} if plan.is_rented else {}
        click.echo(json.dumps(plain(plan) | bound | ({} if package is None else {"package": asdict(package)})))
        return
    for name, kind in plan.nodes.items():
        click.echo(described(plan, name, kind))
    if plan.is_rented:
        click.echo("\n".join([together(plan), *told]))
    if package is not None:
        _tell(package)


@command.command()
@_FILE
@_STATE
@_JSON
@click.option(
    "--dry-run",
    is_flag=True,
    help="Check the file, the ports and the market, print what Ray would be told and what it may cost, start nothing.",
)
@click.option(
    "--heartbeat",
    type=LocalPath(path_type=Path, dir_okay=False),
    help="Heartbeat of the reaper, without which nothing is rented.  [default: reaper.json in --state]",
)
@click.option("--without-reaper", is_flag=True, help="Rent although nobody ends what this machine cannot end.")
def up(file: Path, state: Path, as_json: bool, dry_run: bool, heartbeat: Path | None, without_reaper: bool) -> None:
    """Start the head of a cluster as FILE says, and tell how jobs are submitted to it.

    Nodes come when there are trials for them and go when there are none. Jobs
    work in the folder in which this was called: their runs are there afterwards.
    Nothing is rented unless a reaper has reported within five minutes, now and
    whenever a node is asked for.

    \b
    Examples:
      synthcity cluster up clusters/local.yaml --dry-run
      synthcity cluster up clusters/local.yaml
    """
    from synthcity.cluster.autoscaling import autoscaling
    from synthcity.cluster.folder import folder_of
    from synthcity.cluster.head import check_ports
    from synthcity.cluster.head import up as start
    from synthcity.cluster.plan import load_plan
    from synthcity.documents import write_yaml
    from synthcity.extras import OF_DASHBOARD, need

    plan = load_plan(file)
    folder = folder_of(state, plan.name)
    folder.check_down()
    lines, renting, beat = list[str](), dict[str, object](), None
    if plan.is_rented:
        beat = None if without_reaper else heartbeat or state / "reaper.json"
        lines, renting = _prospects(plan, folder, beat, dry_run)
    if dry_run:
        check_ports(plan)
        told = autoscaling(plan, folder.path)
        comments = "".join(f"# {line}\n" for line in lines)
        click.echo(json.dumps(told | renting) if as_json else comments + write_yaml(told).rstrip())
        return
    need("a cluster", "cluster", *OF_DASHBOARD)
    if not as_json:
        click.echo("\n".join([*lines, f"starting the head of {plan.name} ..."]))
    head = start(plan, folder, Path.cwd(), heartbeat=beat)
    if as_json:
        told = {"name": plan.name, "dashboard": head.url, "token": str(folder.token), "home": head.home}
        click.echo(json.dumps(told | renting))
    else:
        click.echo(_told(plan.name, folder, head))


@command.command()
@_NAME
@_STATE
@_JSON
def status(name: str | None, state: Path, as_json: bool) -> None:
    """Show nodes, jobs, and what waits for nodes, of the cluster NAME or the only one that is up.

    \b
    Example:
      synthcity cluster status
    """
    from dataclasses import asdict

    from synthcity.cli.renting import print_standing, standing_data
    from synthcity.cluster.folder import find_up
    from synthcity.cluster.renting import standing
    from synthcity.cluster.status import status as ask

    folder, head = find_up(state, name)
    found, plan = ask(folder, head), folder.plan
    rented = standing(plan, folder, time.time()) if plan.is_rented else None
    if as_json:
        waiting = [{"needs": needs, "count": count} for needs, count in found.waiting]
        told = {"name": folder.path.name, "dashboard": head.url, **asdict(found), "waiting": waiting}
        click.echo(json.dumps(told | ({} if rented is None else {"renting": standing_data(rented)})))
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
    if not found.is_kept:
        log = folder.path / "autoscaler.log"
        click.echo(f"what keeps the autoscaler running has ended, so no node comes or goes; {log} may tell why")
        click.echo(f"end what is left with `synthcity cluster down {folder.path.name}`, and start it again")
    if rented is not None:
        print_standing(rented)
    for needs, count in found.waiting:
        click.echo(f"waiting for nodes: {count} with {needs} each")
    for job in found.jobs:
        click.echo(f"job {job.id} {job.state.lower()}: {job.command}")
    for one in found.machines:
        if one.state != "joined":
            click.echo(f"machine {one.name} {one.state}: {one.text}")


@command.command()
@_NAME
@_STATE
@_JSON
@click.option("--dry-run", is_flag=True, help="Tell what would be ended, and end nothing.")
@click.option("--yes", is_flag=True, help="Ask nothing.")
def down(name: str | None, state: Path, as_json: bool, dry_run: bool, yes: bool) -> None:
    """End the cluster NAME, which may be left out where one is up, and all its nodes.

    What is rented is gone once the market's lists have lacked it for two minutes;
    until then this waits. It can be called again, also where the head is gone.

    \b
    Examples:
      synthcity cluster down --dry-run
      synthcity cluster down --yes
    """
    from synthcity.cluster.head import down as end
    from synthcity.cluster.renting import find_to_end, left_over

    folder = find_to_end(state, name)
    if dry_run:
        _tell_end(folder, as_json)
        return
    if not yes:
        click.confirm(f"end the cluster {folder.path.name} with all its nodes and jobs?", abort=True, err=True)
    end(folder, Settings.load())
    others = left_over(state)
    if as_json:
        click.echo(json.dumps({"name": folder.path.name, "ended": True, "not_ended": others}))
        return
    click.echo(f"the cluster {folder.path.name} is down")
    for other in others:
        click.echo(f"not ended: {other}, whose head is gone; `synthcity cluster down {other}` ends what is left of it")


def _bounds(plan: Plan, settings: Settings) -> list[str]:
    """What of a plan the environment does not allow, or lacks."""
    if not plan.is_rented:
        return []
    from synthcity.cluster.renting import bounds

    needed = {
        "BASILICA_API_TOKEN": settings.basilica_api_token,
        "HIPPIUS_ACCESS_KEY": settings.hippius_access_key,
        "HIPPIUS_SECRET_KEY": settings.hippius_secret_key,
    }
    missing = [name for name, value in needed.items() if not value]
    return bounds(plan, settings) + [f"{name} is not set; `synthcity cluster up` needs it" for name in missing]


def _prospects(
    plan: Plan, folder: Folder, heartbeat: Path | None, dry_run: bool
) -> tuple[list[str], dict[str, object]]:
    """Find out whether a cluster could rent, and what, as lines and as plain data."""
    from synthcity.cli.renting import prospect_data, prospect_line, together
    from synthcity.cluster.renting import bounds, check_reaper, check_renting, check_spend, standing
    from synthcity.errors import ConfigError

    settings = Settings.load()
    found = check_renting(plan, folder, settings, is_dry=dry_run)
    spent = standing(plan, folder, time.time()).spent
    lines = [*bounds(plan, settings), *map(prospect_line, found), together(plan, spent)]
    for check in (partial(check_spend, plan, folder), partial(check_reaper, plan, settings, heartbeat)):
        try:
            check()
        except ConfigError as error:
            if not dry_run:
                raise
            lines.append(f"`up` would refuse: {error}")
    return lines, {"renting": {"prospects": [*map(prospect_data, found)], "lines": lines}}


def _tell_end(folder: Folder, as_json: bool) -> None:
    from synthcity.cluster.renting import rented

    head, rentals = folder.head, rented(folder)
    if as_json:
        names = [one.name for one in rentals]
        dashboard = None if head is None else head.url
        told = {"name": folder.path.name, "ended": False, "dashboard": dashboard, "rentals": names}
        click.echo(json.dumps(told))
        return
    what = "what a lost head has left" if head is None else f"its head at {head.url}, all its nodes and jobs"
    click.echo(f"`down` would end of {folder.path.name}: {what}")
    for one in rentals:
        click.echo(f"and the machine {one.name}, of {written_usd(one.worst_hourly)} USD an hour")


def _told(name: str, folder: Folder, head: Head) -> str:
    search = "synthcity search configs/quickstart.yaml"
    token = f"RAY_AUTH_MODE=token RAY_AUTH_TOKEN_PATH={folder.token}"
    return "\n".join(
        [
            f"the cluster {name} is up; its dashboard is {head.url}, and asks for the token in {folder.token}",
            "submit a search from a folder that holds its sweep file:",
            f"  {token} ray job submit --address {head.url} --working-dir . -- {search}",
            f"it works in {head.home}, so its run is in {head.home}/runs afterwards; or search on this terminal:",
            f"  {token} RAY_ADDRESS={head.gcs} {search}",
        ]
    )


def _tell(package: Package) -> None:
    click.echo(f"with a job travel {package.size / 2**20:.1f} MiB of 100 that Ray takes")
    if package.is_large:
        largest = ", ".join(f"{name} ({size / 2**20:.1f} MiB)" for name, size in package.largest)
        click.echo(f"name in .rayignore what a search does not need; the largest are {largest}", err=True)
    if package.left:
        named, more = ", ".join(package.left[:_NAMED]), len(package.left) - _NAMED
        rest = f" and {more} more" if more > 0 else ""
        click.echo(f"not with it, by .gitignore, .rayignore or Ray itself: {named}{rest}")
