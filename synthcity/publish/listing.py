"""Runs on the Hugging Face Hub, as their ``publication.json`` tells them; no weights are fetched."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from synthcity.errors import BundleError, DataError
from synthcity.history.listing import DAMAGED, Listing, gather
from synthcity.history.row import NOT_PROVEN, PROVEN, Row, read_row
from synthcity.private import private_folder
from synthcity.publish.publication import MAX_TEXT, PUBLICATION, Publication, parse_publication
from synthcity.publish.remote import Remote

_TOLD = re.compile(rf"([a-z0-9][a-z0-9-]{{0,40}}/[0-9a-f]{{12}})/{re.escape(PUBLICATION)}")


def list_hub(remote: Remote) -> Listing:
    """Return all that was published in a repository.

    Raises:
        PublishError: the Hub does not answer, or has no such repository.
    """
    return gather("hub", _rows(remote))


def row_of_publication(publication: Publication) -> Row:
    """Return the row of one publication; it counts as proven if every lead that it tells is clear of zero.

    Raises:
        DataError: it tells what no run can have.
    """
    leads = publication.leads
    if not leads:
        raise DataError("a publication without a lead")
    strongest = leads[0]
    told = {
        "name": publication.name,
        "began": publication.finished,
        "competition": publication.competition,
        "periods": {name: span.split(" to ") for name, span in publication.periods.items()},
        "verdict": PROVEN if all(lead.high < 0 for lead in leads) else NOT_PROVEN,
        "winner": publication.bundle[:12],
        "lead": {
            "against": strongest.baseline,
            "mean": strongest.mean,
            "low": strongest.low,
            "high": strongest.high,
        },
        "trials": publication.trials,
        "usd": publication.usd,
        "is_simulated": False,
        "is_open": False,
    }
    return read_row(told, id=publication.folder)


def _rows(remote: Remote) -> Iterator[Row | str]:
    commit = remote.head().commit
    if commit is None:
        return
    sizes = remote.sizes(commit)
    with private_folder() as private:
        for name, size in sorted(sizes.items()):
            if found := _TOLD.fullmatch(name):
                yield _row(remote, commit, name, size, private, found[1])


def _row(remote: Remote, commit: str, name: str, size: int, private: Path, folder: str) -> Row | str:
    if size > MAX_TEXT:
        return DAMAGED
    remote.download([name], commit, private)
    try:
        publication = parse_publication((private / name).read_bytes(), name)
        return row_of_publication(publication) if publication.folder == folder else DAMAGED
    except (BundleError, DataError):
        return DAMAGED
