"""Runs in a vault, at Hippius or elsewhere, as their indexes tell them; nothing else is fetched."""

from __future__ import annotations

from collections.abc import Iterator

from synthcity.errors import DataError
from synthcity.history.listing import DAMAGED, Listing, gather
from synthcity.history.row import NOT_PROVEN, PROVEN, UNFINISHED, Row, read_row
from synthcity.schema import plain
from synthcity.vault import Entry, Vault, list_runs


def list_hippius(vault: Vault) -> Listing:
    """Return all runs of a vault, each as it was pushed last.

    Raises:
        VaultError: the vault does not answer.
    """
    return gather("hippius", _rows(vault))


def row_of_entry(entry: Entry) -> Row:
    """Return the row of one index.

    Raises:
        DataError: it tells of no run, or what no run can have.
    """
    run = entry.run
    if run is None:
        raise DataError("the index tells of no run")
    verdict = run.verdict
    lead = None
    if verdict is not None and verdict.lead is not None:
        lead = {"against": verdict.best_baseline, "mean": verdict.lead, "low": verdict.low, "high": verdict.high}
    words = UNFINISHED if verdict is None else PROVEN if verdict.proven else NOT_PROVEN
    told = {
        "name": entry.name,
        "began": run.started,
        "competition": run.competition,
        "periods": plain(run.periods),
        "verdict": words,
        "winner": "" if verdict is None else verdict.winner,
        "lead": lead,
        "trials": run.trials,
        "usd": run.usd,
        "is_simulated": run.source == "simulated",
        "is_open": run.state != "finished",
    }
    return read_row(told, id=entry.id)


def _rows(vault: Vault) -> Iterator[Row | str]:
    damaged: list[str] = []
    for entry in list_runs(vault, damaged.append):
        try:
            yield row_of_entry(entry)
        except DataError:
            yield DAMAGED
    yield from [DAMAGED] * len(damaged)
