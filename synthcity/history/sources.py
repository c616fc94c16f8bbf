"""Where runs may lie, by name; what a place needs is imported when it is read."""

from __future__ import annotations

import difflib
from pathlib import Path

from synthcity.errors import ConfigError, RunError, unknown_name
from synthcity.history.listing import RECENT, Listing
from synthcity.history.row import Row, printable

SOURCES = ("local", "hippius", "trackio", "hub")
HUB = "hub"  # which a room above this one reads: publish.listing
LATEST = "latest"
_COMPARED = 1000  # of the newest, to find one that was meant
_SYNONYMS = {"hf": "hub", "vault": "hippius"}


def read(source: str, *, runs: Path, vault: str = "") -> Listing:
    """List what a source holds.

    Args:
        source: one of ``SOURCES`` but ``HUB``, or another word for it.
        runs: where local runs lie.
        vault: the address of a vault, by default that of HIPPIUS_BUCKET.

    Raises:
        ConfigError: there is no such source, or it needs a setting.
        SynthcityError: it cannot be read.
    """
    name = canonical(source)
    if name == "hippius":
        from synthcity.history.hippius import list_hippius
        from synthcity.vault import open_vault

        return list_hippius(open_vault(vault))
    if name == "trackio":
        from synthcity.history.trackio import list_trackio
        from synthcity.settings import Settings

        return list_trackio(Settings.load().project)
    if name == HUB:
        raise ValueError("publish.listing reads the Hub")
    from synthcity.history.local import list_local

    return list_local(runs)


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
