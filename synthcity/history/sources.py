"""Where runs may lie, by name."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from pathlib import Path

from synthcity.errors import ConfigError, RunError, unknown_name
from synthcity.history.listing import RECENT, Listing
from synthcity.history.local import list_local
from synthcity.history.row import Row, printable

LATEST = "latest"
_COMPARED = 1000  # of the newest, to find one that was meant
_SYNONYMS = {"hf": "hub"}


def read(source: str, folder: Path) -> Listing:
    """List what a source holds; ``folder`` is where local runs lie.

    Raises:
        SynthcityError: the source cannot be read.
    """
    return SOURCES[canonical(source)](folder)


def canonical(source: str) -> str:
    """Return the name of a source that a person wrote.

    Raises:
        ConfigError: there is no such source.
    """
    name = _SYNONYMS.get(source, source)
    if name not in SOURCES:
        raise ConfigError(unknown_name("source of runs", source, SOURCES))
    return name


def find(listing: Listing, run: str) -> Row:
    """Return one run of a listing by its id, else by its name; the newest of several, and of all for ``latest``.

    Raises:
        RunError: there is none.
    """
    recent = listing.ordered(RECENT)
    by_id = [row for row in recent if run in (row.id, LATEST)]
    found = by_id or [row for row in recent if row.name == run]
    if not found:
        near = difflib.get_close_matches(run, [row.id for row in recent[:_COMPARED]], n=1)
        hint = f"did you mean {printable(near[0])!r}?" if near else "`synthcity history` lists them"
        raise RunError(f"there is no run {printable(run)!r} among the {len(recent)} of {listing.source}; {hint}")
    return found[0]


SOURCES: Mapping[str, Callable[[Path], Listing]] = {"local": list_local}
