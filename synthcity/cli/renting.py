"""What `synthcity cluster` tells of rented nodes: what they may cost, what there is, and what is waited for."""

from __future__ import annotations

from dataclasses import asdict
from decimal import Decimal
from typing import TYPE_CHECKING

import click

from synthcity.cli.table import print_table
from synthcity.rent.config import written_usd

if TYPE_CHECKING:
    from synthcity.cluster.plan import NodesConfig, Plan
    from synthcity.cluster.renting import Prospect, Standing


def described(plan: Plan, name: str, kind: NodesConfig) -> str:
    """Return in a line what a kind of node is."""
    nodes = f"up to {kind.max_nodes} node{'s' if kind.max_nodes > 1 else ''} {name!r}"
    parts = f"{kind.cpus} CPU{'s' if kind.cpus > 1 else ''}"
    if kind.gpus:
        parts += f" and {kind.count} {' or '.join(kind.gpus)}"
    price = (
        f", at most {written_usd(kind.max_hourly_rate)} USD an hour each" if kind.max_hourly_rate is not None else ""
    )
    return f"{plan.name}: {nodes} of {parts} ({kind.market}{price})"


def together(plan: Plan, spent: Decimal | None = None) -> str:
    """Return in a line what all rented nodes of a plan may cost, as its file says."""
    assert plan.limits is not None
    most = sum((one.max_hourly_rate * one.max_nodes for one in plan.node_types), Decimal(0))
    so_far = "" if spent is None else f", of which {spent:.2f} are spent"
    return (
        f"{plan.name}: all together at most {written_usd(min(most, plan.limits.hourly))} USD an hour, "
        f"and {written_usd(plan.limits.spend)} USD in the cluster's life{so_far}"
    )


def prospect_line(one: Prospect) -> str:
    """Return in a line what a kind of node would cost now."""
    if one.offer is None:
        return f"{one.why}; `up` waits for a cheaper one and asks again every minute"
    machine = f"{one.offer.gpu_count} {one.offer.gpu}" if one.offer.gpu else f"{one.offer.cpus} CPUs"
    machine += ", spot" if one.offer.is_spot else ""
    most = written_usd(one.node_type.max_hourly_rate)
    return (
        f"{one.node_type.name}: the cheapest is {one.offer.id} ({machine}) at "
        f"{written_usd(one.offer.hourly)} USD an hour, of {most} that one may cost"
    )


def prospect_data(one: Prospect) -> dict[str, object]:
    """Return the same as plain data."""
    offer = None if one.offer is None else {"id": one.offer.id, "hourly_usd": str(one.offer.hourly)}
    return {
        "kind": one.node_type.name,
        "max_hourly_usd": str(one.node_type.max_hourly_rate),
        "offer": offer,
        "why": one.why,
    }


def print_standing(found: Standing) -> None:
    """Show what is rented, what it costs, and what is asked for in vain."""
    count = len(found.rentals)
    click.echo(
        f"rented: {count or 'no'} machine{'' if count == 1 else 's'}, {written_usd(found.hourly)} USD an hour of "
        f"{written_usd(found.limits.hourly)}; {found.spent:.2f} USD of {written_usd(found.limits.spend)} so far"
    )
    if found.rentals:
        rows = [
            [one.name, one.node_type, one.state, one.gpu or "-", written_usd(one.worst_hourly), one.why or "-"]
            for one in found.rentals
        ]
        print_table(["machine", "kind", "state", "gpu", "USD/h", "why"], rows, right=("USD/h",))
    for one in found.wanted:
        click.echo(f"asked for in vain: {one.count} {one.kind}" + (f" ({one.why})" if one.why else ""))


def standing_data(found: Standing) -> dict[str, object]:
    """Return the same as plain data."""
    return {
        "hourly_usd": str(found.hourly),
        "spent_usd": f"{found.spent:.4f}",
        "max_hourly_usd": str(found.limits.hourly),
        "max_spend_usd": str(found.limits.spend),
        "rentals": [
            {
                "name": one.name,
                "kind": one.node_type,
                "state": one.state,
                "gpu": one.gpu,
                "hourly_usd": str(one.worst_hourly),
                "has_joined": one.joined,
                "why": one.why,
            }
            for one in found.rentals
        ],
        "wanted": [asdict(one) for one in found.wanted],
    }
