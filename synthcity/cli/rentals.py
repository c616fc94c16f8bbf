"""``synthcity cluster rentals`` and ``reap``: what is rented at the market, and an end for what is too old."""

from __future__ import annotations

import json
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from synthcity.cli.options import Duration, LocalPath
from synthcity.cli.table import print_table
from synthcity.cluster.job import ROOT
from synthcity.durations import DAY, MINUTE, write_duration
from synthcity.settings import Settings

if TYPE_CHECKING:
    from synthcity.rent import Listed, Reaper, Rental
    from synthcity.rent.reaper import Aged

_STATE = click.option(
    "--state",
    type=LocalPath(path_type=Path, file_okay=False),
    default=ROOT,
    show_default=True,
    help="Folder of the clusters of this machine, with their ledgers and the reaper's heartbeat.",
)


@click.command()
@click.option("--all", "all_", is_flag=True, help="Show what others have rented with this account, too.")
@_STATE
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def rentals(all_: bool, state: Path, as_json: bool) -> None:
    """Show what is rented, by the market's own lists.

    What begins with synthcity- is ours. It is marked `unknown` where no ledger of this machine has it, `gone` where one
    has it as ended, and `old` after 12 hours.

    \b
    Example:
      synthcity cluster rentals --all
    """
    from synthcity.rent import PREFIX, Market, read_ledgers

    known = read_ledgers(state)
    with Market.of(Settings.load()) as market:
        listing = market.rentals()
        now = market.now() + (listing.skew or 0.0)
    rows = [row for row in listing.rows if all_ or row.name.startswith(PREFIX)]
    told = [_told(row, known, now) for row in sorted(rows, key=lambda row: (row.created or 0.0, row.name))]
    if as_json:
        click.echo(json.dumps(told, indent=1))
    elif told:
        names = ("name", "machine", "status", "age", "USD/h", "USD", "marks")
        right = ("age", "USD/h", "USD")
        print_table(names, [_row(one) for one in told], right)
    if not as_json:
        hourly = sum((row.hourly for row in rows if row.hourly), start=Decimal(0))
        others = len(listing.rows) - len(rows)
        price = f"{'' if all(row.hourly for row in rows) else 'at least '}{hourly} USD an hour"
        click.echo(f"{len(rows)} rentals, {price}" + (f"; {others} of others (--all)" if others else ""))
    if listing.problem:
        click.echo(f"error: {listing.problem}", err=True)
        sys.exit(3)


def _told(row: Listed, known: dict[str, Rental], now: float) -> dict[str, object]:
    from synthcity.rent import OLDER, PREFIX, read_name

    named, rental = read_name(row.name), known.get(row.name)
    age = None if row.created is None else now - row.created
    ours = row.name.startswith(PREFIX)
    marks = {
        "others": not ours,
        "unknown": ours and rental is None,
        "gone": rental is not None and rental.state == "gone",
        "old": ours and age is not None and age >= OLDER,
    }
    return {
        "name": row.name,
        "id": row.id,
        "cluster": named.cluster if named else None,
        "node_type": named.node_type if named else None,
        "kind": row.kind,
        "gpu": row.gpu,
        "status": row.status,
        "hourly_usd": None if row.hourly is None else str(row.hourly),
        "billed_usd": None if row.billed is None else str(row.billed),
        "age_seconds": age,
        "is_spot": row.is_spot,
        "marks": [mark for mark, holds in marks.items() if holds],
    }


def _row(told: dict[str, object]) -> list[str]:
    age = told["age_seconds"]
    machine = str(told["gpu"] or told["kind"]) + (" spot" if told["is_spot"] else "")
    marks = told["marks"]
    assert isinstance(marks, list)
    return [
        str(told["name"] or told["id"]),
        machine,
        str(told["status"]),
        _age(age) if isinstance(age, float) else "?",
        str(told["hourly_usd"] or "?"),
        str(told["billed_usd"] or "?"),
        ", ".join(marks),
    ]


@click.command()
@click.option("--every", type=Duration(10.0, DAY), help="Go on, one round each so often; for a service.")
@click.option("--older", type=Duration(1.0, 31 * DAY), help="What is older ends.  [default: 12h]")
@click.option("--cluster", help="Only the rentals of this cluster, of any age unless --older says so.")
@_STATE
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--dry-run", is_flag=True, help="Show what would end, and end nothing.")
@click.option("--yes", is_flag=True, help="Ask nothing.")
def reap(
    every: float | None, older: float | None, cluster: str | None, state: Path, as_json: bool, dry_run: bool, yes: bool
) -> None:
    """End rentals that are too old, whoever rented them, by their names and times at the market.

    Whatever begins with synthcity- and is older ends, and at any age what has
    ended by a ledger in --state. No ledger is needed: let it run as a service,
    best on another machine than the clusters.

    \b
      synthcity cluster reap --every 60s --yes
      synthcity cluster reap --older 30m --dry-run
    """
    from synthcity.errors import ConfigError
    from synthcity.rent import HEARTBEAT, OLDER, PREFIX, Market, Reaper, cluster_prefix

    if every is not None and not yes:
        raise ConfigError("--every asks nobody, so it needs --yes")
    if every is not None and (dry_run or as_json):
        raise ConfigError(f"{'--dry-run' if dry_run else '--json'} tells of one round; leave out --every")
    if every is not None and cluster is not None:
        raise ConfigError("--every is for all clusters; leave out --cluster")
    try:
        prefix = PREFIX if cluster is None else cluster_prefix(cluster)
    except ValueError as error:
        raise ConfigError(f"--cluster must be {error}, got {cluster!r}") from None
    age = older if older is not None else OLDER if cluster is None else 0.0
    with Market.of(Settings.load()) as market:
        heartbeat = state / HEARTBEAT if every is not None else None
        reaper = Reaper(market, age, prefix=prefix, heartbeat=heartbeat, over=lambda: _over(state))
        if every is None:
            _once(reaper, age, as_json=as_json, dry_run=dry_run, yes=yes)
        else:
            _watch(reaper, every)


def _over(state: Path) -> set[str]:
    """Names of what has ended by the ledgers of this machine, as far as they can be read."""
    from synthcity.errors import RunError
    from synthcity.rent import read_ledgers

    try:
        return {name for name, one in read_ledgers(state).items() if one.state == "gone"}
    except RunError as error:
        click.echo(f"warning: {error}; what is too old ends all the same", err=True)
        return set()


def _once(reaper: Reaper, age: float, *, as_json: bool, dry_run: bool, yes: bool) -> None:
    due = reaper.due()
    lines = [_line(one) for one in due]
    if not due:
        lines = [f"nothing is older than {write_duration(age)}" if age else "nothing is rented"]
    if not as_json:
        click.echo("\n".join(lines))
    if due and not dry_run:
        if not yes:
            click.confirm(f"end {len(due)} rentals?", abort=True, err=True)
        reaper.end_all(due)
    if as_json:
        click.echo(json.dumps({"due": [*map(_due, due)], "ended": not dry_run}))
    elif due and not dry_run:
        click.echo(f"{len(due)} ended; the market lists none of them any more")


def _due(one: Aged) -> dict[str, object]:
    hourly = None if one.row.hourly is None else str(one.row.hourly)
    return {"name": one.row.name, "id": one.row.id, "age_seconds": one.age, "hourly_usd": hourly}


def _watch(reaper: Reaper, every: float) -> None:
    from synthcity.errors import RentError

    due = reaper.due()  # a first round that fails says so at once
    while True:
        for one in due:
            click.echo(f"ends {_line(one)}")
        for problem in reaper.end(due) if due else []:
            click.echo(f"warning: {problem}; it is asked again", err=True)
        time.sleep(every)
        try:
            due = reaper.due()
        except RentError as error:
            click.echo(f"warning: {error}", err=True)
            due = []


def _line(one: Aged) -> str:
    price = "" if one.row.hourly is None else f", {one.row.hourly} USD an hour"
    return f"{one.row.name} ({one.row.id}): {_age(one.age)} old{price}"


def _age(seconds: float) -> str:
    whole = max(0, int(seconds))
    return write_duration(whole if whole < MINUTE else whole - whole % MINUTE)
