"""A calendar as text: CSV that a person or a server wrote, read as if a stranger had."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from synthcity.errors import ConfigError, unknown_name
from synthcity.market.calendar.events.event import BY_RULE, Certainty, Event, Kind, known_by_rule
from synthcity.market.times import parse_time

COLUMNS = ("time_utc", "kind", "name", "asset", "certainty", "known_from", "source")
MOST_ROWS = 20_000
_REQUIRED = ("time_utc", "kind", "name", "certainty", "source")
_LONGEST = {"name": 60, "source": 200}
_Named = TypeVar("_Named", Kind, Certainty)
_ASSET = re.compile(r"[A-Z0-9]{0,16}")


def read_events(text: str, what: str) -> tuple[Event, ...]:
    """Read events, sorted by time.

    The columns are ``COLUMNS``, in any order; ``asset`` and ``known_from`` may be left out or empty, which means all
    assets and the rule of ``known_by_rule``. Times are ISO 8601, UTC unless they say otherwise.

    Args:
        text: the file.
        what: names it in errors.

    Raises:
        ConfigError: with ``what``, the line, the value and the remedy.
    """
    rows = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    found: dict[tuple[int, Kind, str], int] = {}
    events: list[Event] = []
    try:
        _check_columns(rows.fieldnames or ())
        for row in rows:
            if len(events) == MOST_ROWS:
                raise ConfigError(f"it has more than {MOST_ROWS:,} rows; leave out what is long past")
            event = _event(row)
            key = event.time, event.kind, event.asset
            if key in found:
                raise ConfigError(f"the same {event.kind} stands in line {found[key]} already; leave one out")
            found[key] = rows.line_num
            events.append(event)
    except (ConfigError, csv.Error) as error:
        raise ConfigError(f"{what}, line {max(rows.line_num, 1)}: {error}") from None
    if not events:
        raise ConfigError(f"{what} holds no event; a row is {','.join(COLUMNS)}")
    return tuple(sorted(events, key=_order))


def write_events(events: Iterable[Event]) -> str:
    """Write events as ``read_events`` reads them."""
    out = io.StringIO(newline="")
    table = csv.writer(out, lineterminator="\n")
    table.writerow(COLUMNS)
    for e in sorted(events, key=_order):
        table.writerow([_utc(e.time), e.kind, e.name, e.asset, e.certainty, _utc(e.known_from), e.source])
    return out.getvalue()


def _check_columns(names: Sequence[str]) -> None:
    for name in names:
        if name not in COLUMNS:
            raise ConfigError(unknown_name("column", name, COLUMNS))
    if missing := [name for name in _REQUIRED if name not in names]:
        raise ConfigError(f"the column {missing[0]} is missing; the first line names {','.join(COLUMNS)}")
    if len(set(names)) < len(names):
        raise ConfigError("a column stands twice")


def _event(row: Mapping[str | None, str | list[str] | None]) -> Event:
    if None in row or None in row.values():
        raise ConfigError(f"it has {'more' if None in row else 'fewer'} fields than the first line")
    cells = {str(name): str(value).strip() for name, value in row.items()}
    for name, longest in _LONGEST.items():
        if not 0 < len(cells[name]) <= longest or not cells[name].isprintable():
            raise ConfigError(f"{name} must be 1 to {longest} printable characters, got {cells[name][:longest]!r}")
    kind, certainty = _one_of(Kind, "kind", cells["kind"]), _one_of(Certainty, "certainty", cells["certainty"])
    if kind in BY_RULE or certainty is Certainty.RULE:
        raise ConfigError(f"{kind} {certainty}: what a rule dates is known already; leave the row out")
    asset = cells.get("asset", "")
    if not _ASSET.fullmatch(asset):
        raise ConfigError(f"asset must be a name such as NVDAX, or empty for all, got {asset[:40]!r}")
    if kind is Kind.EARNINGS and not asset:
        raise ConfigError("earnings are those of an asset; fill the column asset")
    time = parse_time(cells["time_utc"])
    if time % 60:
        raise ConfigError(f"time_utc must be a whole minute, got {cells['time_utc']!r}")
    known_from = parse_time(cells["known_from"]) if cells.get("known_from") else known_by_rule(kind, time)
    if known_from > time:
        raise ConfigError(f"known_from {cells['known_from']!r} lies after the event; write when its date was published")
    return Event(
        time=time,
        kind=kind,
        name=cells["name"],
        certainty=certainty,
        source=cells["source"],
        known_from=known_from,
        asset=asset,
    )


def _one_of(kinds: type[_Named], what: str, value: str) -> _Named:
    if value not in [kind.value for kind in kinds]:
        raise ConfigError(unknown_name(what, value, [kind.value for kind in kinds]))
    return kinds(value)


def _utc(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _order(event: Event) -> tuple[int, str, str]:
    return event.time, event.kind, event.asset
