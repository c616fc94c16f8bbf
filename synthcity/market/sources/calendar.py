"""A calendar that somebody else wrote: a file, or an address on the web."""

from __future__ import annotations

from urllib.parse import urlsplit

from synthcity.errors import ConfigError
from synthcity.market.calendar.events.event import Event
from synthcity.market.calendar.events.table import read_events
from synthcity.market.venues.http import Patience, VenueClient
from synthcity.textfile import MOST_BYTES, decoded, read_text

_PATIENCE = Patience(attempts=3, longest_wait_seconds=10.0, pause_seconds=0.0)


def events_of(source: str) -> tuple[Event, ...]:
    """Read the events of a file, or of an address that begins with http:// or https://.

    Raises:
        ConfigError: it cannot be read, or is no calendar; see ``read_events``.
        SourceError: the server fails.
    """
    if "://" not in source:
        return read_events(read_text(source, "the calendar"), f"the calendar {source!r}")
    parts = urlsplit(source)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(f"a calendar comes from a file or from http:// or https://, not from {parts.scheme}://")
    if parts.username is not None or parts.password is not None:
        raise ConfigError("an address with a password in it is not asked; fetch the file yourself and name the file")
    # what follows the path may be a key: it goes to the server and into no sentence
    base, path = f"{parts.scheme}://{parts.netloc}", parts.path or "/"
    path += f"?{parts.query}" if parts.query else ""
    with VenueClient("the calendar's server", base, "--update", _PATIENCE, remedy="repeat the command") as client:
        return read_events(decoded(client.fetch(path, MOST_BYTES), "the calendar"), f"the calendar at {base}")
