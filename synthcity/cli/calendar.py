"""``synthcity data calendar``: what is known to come."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from synthcity.cli.options import Duration, Output
from synthcity.cli.table import print_table
from synthcity.durations import DAY

if TYPE_CHECKING:
    from synthcity.market.calendar.events.event import Event

_NAME_WIDTH = 22  # of the table, so that it fits 80 columns


@click.command()
@click.option(
    "--store",
    type=Output(is_folder=True, path_type=str),
    metavar="FOLDER",
    help="Store with a calendar of its own.  [default: the packaged calendar alone]",
)
@click.option("--update", "source", metavar="FILE|URL", help="Take these events into the store's calendar first.")
@click.option("--learn", is_flag=True, help="Learn what events did to the store's prices, for forecasts from now on.")
@click.option("--next", "ahead", type=Duration(60, 3660 * DAY), default="30d", show_default=True, help="How far ahead.")
@click.option("--json", "as_json", is_flag=True, help="All of it, as one JSON object.")
def calendar(store: str | None, source: str | None, learn: bool, ahead: float, as_json: bool) -> None:
    """Show what is known to come: releases, meetings, earnings, expiries, closed days. Times are UTC.

    Packaged dates and what rules date come first; --update lays an operator's own over them. It is a CSV file with the
    columns time_utc, kind, name, asset, certainty, known_from, source; asset and known_from may be empty. From its
    first to its last event a list of a kind takes the place of what was known of that kind. What is marked unchecked
    is shown and moves no forecast.

    What releases do comes with this version; --learn learns it anew from all bars of the store, so that earnings
    and assets that it was not learned for count too. Repeat it once a month.

    \b
    Examples:
      synthcity data calendar --next 7d
      synthcity data calendar --store prices --update releases-2026.csv
      synthcity data calendar --store prices --learn
      synthcity data calendar --store prices --json
    """
    from synthcity.errors import ConfigError
    from synthcity.market.calendar.events.calendar import packaged
    from synthcity.market.store import open_store
    from synthcity.market.times import format_time

    if source is not None:
        from synthcity.market.sources.calendar import events_of

        if store is None:
            raise ConfigError("--update needs --store FOLDER: the packaged calendar is never changed")
        newer = events_of(source)
        open_store(store).extend_calendar(newer)
        span = f"{format_time(newer[0].time)} to {format_time(newer[-1].time)}"
        click.echo(f"taken in: {len(newer):,} from {span}", err=as_json)
    if learn:
        from synthcity.market.store.responses import learn_from

        if store is None:
            raise ConfigError("--learn needs --store FOLDER: it learns from the prices there")
        edition = learn_from(open_store(store), int(time.time()))
        open_store(store).keep_responses(edition)
        counts = ", ".join(f"{kind} {count}" for kind, count in edition.num_events.items())
        click.echo(f"learned from events: {counts or 'none in these prices'}", err=as_json)
    known = packaged() if store is None else open_store(store).calendar()
    now = int(time.time())
    found = known.between(now, now + round(ahead))
    if as_json:
        click.echo(json.dumps({"now": _iso(now), "end": _iso(known.end), "events": [_plain(e, now) for e in found]}))
        return
    sources = list(dict.fromkeys(event.source for event in found))

    def row(event: Event) -> tuple[str, ...]:
        name = f"{event.asset} {event.name}".strip()
        name = name if len(name) <= _NAME_WIDTH else f"{name[: _NAME_WIDTH - 3]}..."
        number = str(1 + sources.index(event.source))
        return format_time(event.time), _wait(event.time - now), event.kind, name, event.certainty, number

    if found:
        print_table(("when", "in", "kind", "name", "certainty", "by"), [row(event) for event in found], right=("in",))
        for number, told in enumerate(sources, 1):
            click.echo(f"{number}: {told}")
    else:
        click.echo("nothing is known to come in this time")
    end = format_time(known.end)[:10] if known.end else "never"
    click.echo(f"consumer prices, jobs and FOMC meetings are all dated for sure up to: {end}")


def _wait(seconds: int) -> str:
    days, rest = divmod(seconds, DAY)
    hours, minutes = rest // 3600, rest % 3600 // 60
    return f"{days}d {hours}h" if days else f"{hours}h {minutes}m"


def _iso(seconds: int) -> str | None:
    return datetime.fromtimestamp(seconds, UTC).isoformat() if seconds else None


def _plain(event: Event, now: int) -> dict[str, object]:
    return {
        "time": _iso(event.time),
        "in_seconds": event.time - now,
        "kind": event.kind,
        "name": event.name,
        "asset": event.asset or None,
        "certainty": event.certainty,
        "known_from": _iso(event.known_from),
        "source": event.source,
    }
