"""What follows for rentals from a list of the market, and from the clock and the limits. Nobody is asked here."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from synthcity.durations import MINUTE, write_duration
from synthcity.errors import RentError
from synthcity.rent.config import Limits, NodeType, written_usd
from synthcity.rent.market import Listing
from synthcity.rent.rental import Rental
from synthcity.rent.replies import Listed

SETTLE = 120.0  # seconds; lists lag, and miss a row now and then: absence counts once they have lacked it for longer
_SURE = 10.0 * MINUTE  # of absence, after which nobody waits for an answer to a stop any more
_RIVAL = 10.0 * MINUTE  # for which another head is believed in, after its last machine was seen
_SLACK = 5.0  # seconds that a market's times may be off, which it tells in whole ones
_UNPRICED = 10.0 * MINUTE  # for which a machine may run of which nobody tells what it costs
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Matched:
    """Rows of a list by the name of their rental, and those whose names begin as ours and that nobody knows."""

    rows: Mapping[str, Listed]
    strangers: tuple[Listed, ...]


class Strangers:
    """What lists show under the names of a cluster although its ledger does not know it; ``rows`` are the last ones.

    They are ended, since a ledger may have been lost. What was started since this process began, by nobody here, is of
    another head under the same name. Two would end each other's machines and rent anew for ever, so nothing is rented
    meanwhile.
    """

    def __init__(self, cluster: str, ledger: Path, began: float) -> None:
        """Args: ``began`` is when this process began to rent, in Unix seconds."""
        self.rows: tuple[Listed, ...] = ()
        self._cluster, self._ledger, self._began = cluster, ledger, began
        self._rival, self._seen = "", 0.0

    @property
    def hourly(self) -> Decimal:
        """USD an hour of all of them, as far as the market tells."""
        return sum((row.hourly or Decimal(0) for row in self.rows), Decimal(0))

    def meet(self, rows: Sequence[Listed], listing: Listing, names: frozenset[str]) -> None:
        """Remember them; what a list that is not whole lacks may still be there.

        Args:
            rows: those of ``listing`` that are strangers.
            listing: the last lists.
            names: of all rentals of the ledger; a second machine under one of them is the market's doing.
        """
        before = {(row.kind, row.id or row.name): row for row in self.rows}
        found = {(row.kind, row.id or row.name): row for row in rows}
        for kind, id_or_name in found.keys() - before.keys():
            name = found[kind, id_or_name].name
            _log.warning("%s (%s) is not in %s; it is ended", name, id_or_name, self._ledger)
        for row in rows:
            created = None if row.created is None else row.created - (listing.skew or 0.0)
            if row.name not in names and created is not None and created > self._began + _SLACK:
                self._rival, self._seen = row.name, listing.taken
        self.rows = tuple((found if listing.is_whole else before | found).values())

    def check_alone(self, now: float) -> None:
        """Raise RentError where another head has rented under the cluster's name within ten minutes."""
        if self._rival and now - self._seen < _RIVAL:
            raise RentError(
                f"another head rents for a cluster {self._cluster!r} ({self._rival} is not in {self._ledger}), and "
                "both end what the other rents; end one of them, or give it another name"
            )


def match(rentals: Iterable[Rental], rows: Iterable[Listed], prefix: str) -> Matched:
    """Tell which row is which rental: by the market's id, else by the name."""
    by_name = {rental.name: rental for rental in rentals}
    by_id = {rental.id: rental for rental in by_name.values() if rental.id}
    found, strangers = dict[str, Listed](), list[Listed]()
    for row in rows:
        rental = by_id.get(row.id) or by_name.get(row.name)
        if rental is None:
            strangers += [row] if row.name.startswith(prefix) else []
        elif rental.name in found or (rental.id and row.id and rental.id != row.id):
            strangers.append(row)  # a second machine under one name
        else:
            found[rental.name] = row
    return Matched(rows=found, strangers=tuple(strangers))


def compared(rental: Rental, row: Listed | None, listing: Listing, *, is_answered: bool) -> Rental:
    """Return a rental as a list shows it, or lacks it.

    Args:
        rental: as it was.
        row: of ``listing``, which may lack it.
        listing: of the market.
        is_answered: whether the market has said of a stop that it ended the machine, or has none.
    """
    return _absent(rental, listing, is_answered) if row is None else _shown(rental, row, listing.taken)


def _shown(rental: Rental, row: Listed, taken: float) -> Rental:
    # once told, a price may rise and never falls here: of two that the market tells the higher one counts
    prices = [price for price in (rental.hourly, row.hourly) if price is not None]
    rental = replace(
        rental,
        kind=row.kind,
        id=rental.id or row.id,
        gpu=rental.gpu or row.gpu,
        hourly=max(prices, default=None),
        billed=max(rental.billed, row.billed or Decimal(0)),
        ssh=row.ssh or rental.ssh,
        started=taken if rental.started is None else rental.started,
        seen=taken,
    )
    if rental.state == "intent":
        rental = replace(rental, state="rented")
    elif rental.state == "gone":
        rental = replace(rental, state="stopping", ended=None, why="a list shows it again")
    return dear(rental)


def dear(rental: Rental) -> Rental:
    """Have a rental stopped that costs more than it may."""
    if rental.state != "rented" or rental.hourly is None or rental.hourly <= rental.max_hourly:
        return rental
    why = f"it costs {written_usd(rental.hourly)} USD an hour, more than {written_usd(rental.max_hourly)}"
    return replace(rental, state="stopping", why=why)


def _absent(rental: Rental, listing: Listing, is_answered: bool) -> Rental:
    lacked = listing.taken - rental.seen
    if rental.state == "gone" or not listing.is_whole or lacked <= SETTLE:
        return rental
    why = {"intent": "it was never started", "rented": "the market has taken it back"}.get(rental.state, rental.why)
    if not is_answered and lacked <= _SURE:  # a list may show an empty account for minutes: a stop asks elsewhere
        return replace(rental, state="stopping", why=why)
    return replace(rental, state="gone", ended=listing.taken, why=why)


def ending(
    rentals: Sequence[Rental], node_types: Mapping[str, NodeType], limits: Limits, spent: Decimal, now: float
) -> dict[str, str]:
    """Return which rentals must end now, by name, and why.

    Args:
        spent: USD that the whole cluster has cost by ``now``.
    """
    living = [rental for rental in rentals if rental.state in ("intent", "rented")]
    if spent >= limits.spend:
        return {one.name: f"the cluster has cost {spent:.2f} USD of {written_usd(limits.spend)}" for one in living}
    found = {one.name: why for one in living if (why := _overdue(one, node_types.get(one.node_type), now))}
    hourly = Decimal(0)
    for rental in sorted(living, key=lambda one: one.asked):  # the newest goes first
        hourly += rental.worst_hourly
        if hourly > limits.hourly and rental.name not in found:
            found[rental.name] = f"all cost {written_usd(hourly)} USD an hour, more than {written_usd(limits.hourly)}"
    return found


def _overdue(rental: Rental, node_type: NodeType | None, now: float) -> str:
    if node_type is None:
        return f"the cluster has no node type {rental.node_type!r} any more"
    if now - rental.asked > node_type.max_lease:
        return f"its lease of {write_duration(node_type.max_lease)} is over"
    begun = rental.asked if rental.started is None else rental.started
    if not rental.joined and now - begun > node_type.boot:
        return f"it has not joined the cluster within {write_duration(node_type.boot)}"
    if rental.state == "rented" and rental.hourly is None and now - begun > _UNPRICED:
        return f"for {write_duration(_UNPRICED)} the market has not told what it costs"
    return ""
