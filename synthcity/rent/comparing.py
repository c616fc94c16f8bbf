"""What follows for rentals from a list of the market, and from the clock and the limits. Nobody is asked here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from synthcity.durations import write_duration
from synthcity.rent.config import Limits, NodeType, written_usd
from synthcity.rent.market import Listing
from synthcity.rent.rental import Rental
from synthcity.rent.replies import Listed

SETTLE = 120.0  # seconds; lists lag, and miss a row now and then: absence counts once they have lacked it for longer


@dataclass(frozen=True, kw_only=True)
class Matched:
    """Rows of a list by the name of their rental, and those whose names begin as ours and that nobody knows."""

    rows: Mapping[str, Listed]
    strangers: tuple[Listed, ...]


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


def compared(rental: Rental, row: Listed | None, listing: Listing) -> Rental:
    """Return a rental as a list shows it, or lacks it."""
    return _absent(rental, listing) if row is None else _shown(rental, row, listing.taken)


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


def _absent(rental: Rental, listing: Listing) -> Rental:
    if rental.state == "gone" or not listing.is_whole or listing.taken - rental.seen <= SETTLE:
        return rental
    why = {"intent": "it was never started", "rented": "the market has taken it back"}.get(rental.state, rental.why)
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
    return ""
