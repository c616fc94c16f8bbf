"""Runs in a vault, at Hippius or elsewhere, as its catalogue and their indexes tell them; nothing else is fetched."""

from __future__ import annotations

from collections.abc import Iterator

from synthcity.errors import DataError
from synthcity.history.listing import DAMAGED, Listing, gather
from synthcity.history.row import NOT_PROVEN, PROVEN, UNFINISHED, Row, read_row
from synthcity.schema import plain
from synthcity.vault import Vault
from synthcity.vault.catalogue import Told, list_told


def list_hippius(vault: Vault) -> Listing:
    """Return all runs of a vault, each as it was pushed last.

    Raises:
        VaultError: the vault does not answer.
    """
    return gather("hippius", _rows(vault))


def row_of(told: Told) -> Row:
    """Return the row of one run.

    Raises:
        DataError: it tells what no run can have.
    """
    run, verdict = told.run, told.run.verdict
    lead = None
    if verdict is not None and verdict.lead is not None:
        lead = {"against": verdict.best_baseline, "mean": verdict.lead, "low": verdict.low, "high": verdict.high}
    words = UNFINISHED if verdict is None else PROVEN if verdict.proven else NOT_PROVEN
    data = {
        "name": told.name,
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
    return read_row(data, id=told.id)


def _rows(vault: Vault) -> Iterator[Row | str]:
    damaged: list[str] = []
    for told in list_told(vault, damaged.append):
        try:
            yield row_of(told)
        except DataError:
            yield DAMAGED
    yield from [DAMAGED] * len(damaged)
