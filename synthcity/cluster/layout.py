"""Which addresses and ports the nodes of a cluster have.

Each node has an address of its own in 127.0.1.0/24, which Linux answers without being told to, and which Ray does not
replace as it does 127.0.0.1. Ray binds some ports on every address whatever it is told, so no two nodes share a number.
"""

from __future__ import annotations

from dataclasses import dataclass

MOST_NODES = 32  # beside the head
MOST_REACHED = 12  # of them behind ssh, whose server may open a thousand files by default, one a port
SPAN = 100  # from one node's first port to the next one's
_WORKERS = range(8, 58)  # ports of a node, from its first on, for workers and drivers


@dataclass(frozen=True)
class Place:
    """Where a node listens: ``index`` 0 is the head; ``base`` is the head's first port."""

    index: int
    base: int

    @property
    def address(self) -> str:
        """Of the node."""
        return f"127.0.1.{self.index + 1}"

    @property
    def first(self) -> int:
        """First of its ports."""
        return self.base + SPAN * self.index

    @property
    def gcs(self) -> str:
        """Address and port of the control store, which the head has."""
        return f"{Place(0, self.base).address}:{self.base + 6}"

    @property
    def ports(self) -> range:
        """All ports that the node may listen on; the last is for the autoscaler's figures."""
        return range(self.first, self.first + _WORKERS.stop + 1)

    @property
    def arguments(self) -> list[str]:
        """What ``ray start`` is told of them."""
        first = self.first
        named = {
            "node-ip-address": self.address,
            "node-manager-port": first,
            "object-manager-port": first + 1,
            "runtime-env-agent-port": first + 2,
            "dashboard-agent-grpc-port": first + 3,
            "dashboard-agent-listen-port": first + 4,
            "metrics-export-port": first + 5,
            "min-worker-port": first + _WORKERS.start,
            "max-worker-port": first + _WORKERS.stop - 1,
        }
        if self.index == 0:
            named |= {"port": first + 6, "ray-client-server-port": first + 7}
        return [f"--{name}={value}" for name, value in named.items()]
