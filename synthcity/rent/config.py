"""What may be rented, and for how much: node types and the limits of a cluster."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from synthcity import schema
from synthcity.durations import DAY, HOUR, MINUTE
from synthcity.errors import ConfigError
from synthcity.rent import gpus
from synthcity.rent.naming import node_type_name
from synthcity.schema import duration, key
from synthcity.settings import Settings

Kind = Literal["gpu", "cpu"]  # the market has two lists of offers, and two of rentals
Spot = Literal["allow", "only", "never"]
_MOST_USD = 1_000_000
_AMOUNT = r"[0-9]{0,7}\.?[0-9]{1,9}"  # as people write money: no exponent, no digits of other scripts


def usd(value: object) -> Decimal:
    """Read an amount of USD, of an hour or in all.

    Raises:
        ValueError: it is none, or not more than 0; the text completes "it must be".
    """
    text = "" if isinstance(value, bool) else str(value)
    amount = Decimal(text) if re.fullmatch(_AMOUNT, text) else Decimal(0)
    if not 0 < amount <= _MOST_USD:
        raise ValueError(f"USD, more than 0 and at most {_MOST_USD:,}, such as 1.50")
    return amount


def written_usd(amount: Decimal) -> str:
    """Write an amount of USD with its cents, and with all its digits where it has more."""
    return f"{amount:.2f}" if amount == round(amount, 2) else f"{amount:f}"


@dataclass(frozen=True, kw_only=True)
class NodeType:
    """One kind of machine that may be rented.

    Attributes:
        name: small letters and digits, 12 at most.
        gpus: names of GPUs, any of which will do; none for a machine without one.
        count: GPUs of one machine.
        cpus: that one must have at least.
        max_nodes: machines at a time.
        max_hourly_rate: USD an hour that one whole machine may cost.
        spot: whether machines that the market may take back will do.
        boot: seconds that a machine may take until it has joined the cluster.
        max_lease: seconds after which it goes, whatever it does.
    """

    name: str = key(parse=node_type_name)
    gpus: tuple[str, ...] = key((), parse=gpus.names)
    count: int = key(1, low=1, high=16)
    cpus: int = key(0, low=0, high=256)
    max_nodes: int = key(1, low=1, high=256)
    max_hourly_rate: Decimal = key(parse=usd)
    spot: Spot = key("never")
    boot: float = duration(15.0 * MINUTE, low=60.0, high=float(DAY))
    max_lease: float = duration(12.0 * HOUR, low=300.0, high=31.0 * DAY)

    def __post_init__(self) -> None:
        schema.check(self)

    @property
    def kind(self) -> Kind:
        """In which of the market's two lists such machines are."""
        return "gpu" if self.gpus else "cpu"


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Of all machines of a cluster together: USD an hour, and in its whole life."""

    hourly: Decimal = key(parse=usd, write=str)
    spend: Decimal = key(parse=usd, write=str)


def bounded(node_type: NodeType, settings: Settings) -> NodeType:
    """Return a node type within what the environment allows, whatever a file says.

    Raises:
        ConfigError: none of its GPUs is allowed.
    """
    rate, allowed = settings.basilica_max_hourly_rate, gpus.names(settings.basilica_allowed_gpu_types)
    chosen = tuple(name for name in node_type.gpus if not allowed or name in allowed)
    if node_type.gpus and not chosen:
        wanted = ", ".join(node_type.gpus)
        raise ConfigError(
            f"BASILICA_ALLOWED_GPU_TYPES allows {', '.join(allowed)}, but {node_type.name} wants {wanted}"
        )
    cap = node_type.max_hourly_rate if rate is None else min(rate, node_type.max_hourly_rate)
    return replace(node_type, gpus=chosen, max_hourly_rate=cap)
