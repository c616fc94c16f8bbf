"""What makes a node of a machine that this one reaches by ssh."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from synthcity.cluster.layout import Place


@dataclass(frozen=True, kw_only=True)
class Reached:
    """A machine that answers ssh, or will.

    Attributes:
        name: unique for ever; Ray knows the node by it.
        kind: of node, as the cluster file names it.
        place: address and ports of its node.
        host, port, user: where ssh answers, and as whom.
        cpus, gpus: what its node is said to have.
        labels: of its node, such as its price.
        joined: whether it has been a node before.
        prepare: shell command that makes the machine fit, before anything else; empty for none.
        power_off: shell command that ends the machine.
    """

    name: str
    kind: str
    place: Place
    host: str
    user: str
    power_off: str
    port: int = 22
    cpus: int = 1
    gpus: int = 0
    labels: Mapping[str, str] = field(default_factory=dict)
    joined: bool = False
    prepare: str = ""


class Transport(Protocol):
    """Makes nodes of machines and keeps them joined. Use from any thread; nothing here waits for a machine."""

    def join(self, machine: Reached) -> None:
        """See that a machine becomes a node and stays one; one that is cared for already is left as it is."""

    def leave(self, name: str) -> None:
        """Let go of a machine for good, which ends itself then; whoever rented it ends it, too. None is no mistake."""

    def failure(self, name: str) -> str:
        """Return why a machine will not become a node, or is one no more, in a sentence; empty while it may be one."""

    def close(self) -> None:
        """Let go of all machines, which stay as they are for whoever joins them next."""
