"""Which of the machines on offer to rent: filtered and ranked, without asking anybody."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from synthcity.errors import RentError
from synthcity.rent.config import Kind, NodeType, written_usd


class NoOffer(RentError):
    """No machine on offer is what is wanted, at the price that is wanted; later there may be one."""


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A machine on offer.

    Attributes:
        id: of the offering; opaque.
        kind: of the list that it is in.
        gpu: its normalised name, empty for a machine without one.
        gpu_count: 0 for a machine without one.
        hourly: USD an hour of the whole machine, which is what it will be billed at.
        is_available: whether it can be had now.
        is_spot: whether the market may take it back.
    """

    id: str
    kind: Kind
    gpu: str = ""
    gpu_count: int = 0
    hourly: Decimal
    is_available: bool = True
    is_spot: bool = False
    cpus: int = 0
    memory_gb: int = 0
    region: str = ""


def fits(offer: Offer, wanted: NodeType) -> bool:
    """Whether an offer is a machine of the type wanted, whatever it costs."""
    if offer.kind != wanted.kind or not offer.is_available or offer.cpus < wanted.cpus:
        return False
    if wanted.gpus and (offer.gpu not in wanted.gpus or offer.gpu_count != wanted.count):
        return False
    return wanted.spot == "allow" or offer.is_spot == (wanted.spot == "only")


def rank(offers: Iterable[Offer], wanted: NodeType, most: Decimal) -> list[Offer]:
    """Return the offers that fit and cost ``most`` USD an hour at most, the best first.

    Cheap goes before dear; at one price what stays before what may be taken back, then more memory.
    """
    found = [offer for offer in offers if fits(offer, wanted) and 0 < offer.hourly <= most]
    return sorted(found, key=lambda one: (one.hourly, one.is_spot, -one.memory_gb, one.id))


def choose(offers: Iterable[Offer], wanted: NodeType, most: Decimal) -> Offer:
    """Return the best offer at ``most`` USD an hour.

    Raises:
        NoOffer: there is none; the text tells the cheapest that would fit.
    """
    offers = list(offers)
    if ranked := rank(offers, wanted, most):
        return ranked[0]
    words = f"{wanted.count} {' or '.join(wanted.gpus)}" if wanted.gpus else "no GPU"
    words += f" and {wanted.cpus} CPUs" if wanted.cpus > 1 else ""
    words += {"allow": "", "only": ", spot,", "never": ", not spot,"}[wanted.spot]
    dearer = rank(offers, wanted, Decimal("Infinity"))
    cheapest = (
        f"the cheapest costs {written_usd(dearer[0].hourly)} USD an hour" if dearer else "none is on offer at any price"
    )
    price = written_usd(most)
    raise NoOffer(f"no machine with {words} costs at most {price} USD an hour for {wanted.name}: {cheapest}")
