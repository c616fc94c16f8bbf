"""An operator's own calendar: one file in the folder of a store, over the packaged one."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from synthcity.errors import ConfigError, DataError
from synthcity.files import atomic_write
from synthcity.market.calendar.events.calendar import Calendar, packaged
from synthcity.market.calendar.events.event import Event
from synthcity.market.calendar.events.table import read_events, write_events
from synthcity.textfile import read_text

CALENDAR = "calendar.csv"


def read_calendar(folder: Path) -> Calendar:
    """The packaged calendar, extended by the one in ``folder``.

    Raises:
        ConfigError: the file there is damaged; it names the line and the remedy.
    """
    return packaged().extended(_kept(folder))


def extend_calendar(folder: Path, events: Iterable[Event]) -> None:
    """Extend the calendar in ``folder``, see ``Calendar.extended``; the file is replaced as a whole.

    Raises:
        ConfigError: the file there is damaged.
        DataError: it cannot be written.
    """
    whole = Calendar(_kept(folder)).extended(events)
    try:
        atomic_write(folder / CALENDAR, write_events(whole.dated))
    except OSError as error:
        raise DataError(f"cannot write {folder / CALENDAR} ({error.strerror or error}); nothing changed") from error


def _kept(folder: Path) -> tuple[Event, ...]:
    path = folder / CALENDAR
    if not path.exists():
        return ()
    try:
        return read_events(read_text(path, "the calendar"), str(path))
    except ConfigError as error:
        raise ConfigError(f"{error} (delete the file and give it anew to `synthcity data calendar`)") from None
