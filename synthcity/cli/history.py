"""``synthcity history``: past runs, wherever they lie, in one table."""

from __future__ import annotations

import json
from pathlib import Path

import click

from synthcity.cli.options import LocalPath
from synthcity.cli.table import print_table
from synthcity.history.listing import BEST, RECENT, WORST, Listing
from synthcity.history.sources import HUB, SOURCES, canonical, find, read
from synthcity.history.telling import COLUMNS, RIGHT, cells, plain_listing, plain_row, plain_trend, plot
from synthcity.history.trends import Trend, trend
from synthcity.wording import percent


@click.command("history")
@click.argument("source", default="local", metavar="[" + "|".join(SOURCES) + "]")
@click.option("--run", metavar="ID", help="Show this run alone; `latest` is the newest.")
@click.option("--order", type=click.Choice([BEST, RECENT, WORST]), default=BEST, show_default=True)
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=20, show_default=True, help="Runs shown.")
@click.option("--competition", metavar="NAME", help="Runs of this competition alone.")
@click.option("--trends", is_flag=True, help="Follow the best proven lead over time.")
@click.option("--runs", "folder", type=LocalPath(path_type=Path), default="runs", help="Where local runs lie.")
@click.option("--vault", default="", metavar="ADDRESS", help="The vault; by default the bucket of HIPPIUS_BUCKET.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for tools.")
def command(
    source: str,
    run: str | None,
    order: str,
    limit: int,
    competition: str | None,
    trends: bool,
    folder: Path,
    vault: str,
    as_json: bool,
) -> None:
    """List past runs, the best first: of this machine, of the vault, of Trackio, or of the Hugging Face Hub.

    What counts is the lead over the best baseline on the test period, in percent (minus is better), with its 95 %
    interval: scores of different prompts do not compare. A folder or entry that cannot be read is counted on standard
    error and hides no other. `hf` is another word for `hub`.

    \b
      synthcity history
      synthcity history --order recent --competition crypto-1h
      synthcity history hub --run latest --json
      synthcity history --trends
    """
    if run is not None and trends:
        raise click.UsageError("--run shows one run and --trends many; give one of them")
    listing = _read(source, folder, vault).of(competition)
    _tell_left_out(listing)
    if run is not None:
        found = find(listing, run)
        click.echo(json.dumps(plain_row(found), indent=1)) if as_json else _show([cells(found)])
    elif trends:
        _tell_trend(listing, trend(listing.rows, competition), as_json)
    elif as_json:
        click.echo(json.dumps(plain_listing(listing, order, listing.ordered(order)[:limit]), indent=1))
    elif not listing.rows:
        click.echo("no runs")
    else:
        _show([cells(row) for row in listing.ordered(order)[:limit]])
        if len(listing.rows) > limit:
            click.echo(f"{len(listing.rows) - limit} more runs; --limit shows them", err=True)


def _read(source: str, folder: Path, vault: str) -> Listing:
    if canonical(source) != HUB:
        return read(source, runs=folder, vault=vault)
    from synthcity.publish.listing import list_hub
    from synthcity.publish.remote import Remote
    from synthcity.settings import Settings

    return list_hub(Remote.of(Settings.load()))


def _show(rows: list[tuple[str, ...]]) -> None:
    print_table(COLUMNS, rows, RIGHT)


def _tell_left_out(listing: Listing) -> None:
    for why, count in sorted(listing.left_out.items()):
        click.echo(f"left out: {count} {'entry' if count == 1 else 'entries'}, {why}", err=True)


def _tell_trend(listing: Listing, found: Trend, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(plain_trend(listing, found), indent=1))
        return
    if not found.points:
        click.echo("no runs")
        return
    market = " on a SIMULATED market" if found.is_simulated else ""
    click.echo(f"lead over the best baseline in {found.competition}{market}, by run (minus is better)")
    click.echo(plot(found))
    best = found.best
    if best is None or best.lead is None:
        click.echo(f"{len(found.points)} runs, none proven")
    else:
        gained = f", {found.improvement:.2f} points better than the first" if found.improvement else ""
        click.echo(f"{len(found.points)} runs; best proven: {best.id}, {percent(best.lead.mean)}{gained}")
    if found.left_out:
        click.echo(f"left out: {found.left_out} runs of other competitions or markets; see --competition", err=True)
