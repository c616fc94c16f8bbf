"""The cluster file: which nodes a cluster may have, and within which limits."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from synthcity.cluster.layout import MOST_NODES, SPAN
from synthcity.documents import Document, read_yaml
from synthcity.durations import DAY, MINUTE
from synthcity.errors import ConfigError
from synthcity.schema import build, duration, key, mistakes
from synthcity.textfile import read_text

LOCAL = "local"
_LAST_PORT = 65_535


def _name(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch("[a-z0-9]{1,16}", value):
        raise ValueError("1 to 16 small letters and digits")
    return value


@dataclass(frozen=True, kw_only=True)
class HeadConfig:
    """Where the head listens, on this machine alone.

    ``ports``: the first of its own, of which each node has 58, a hundred further on for each. ``dashboard``: its port
    on 127.0.0.1; jobs are submitted there.
    """

    ports: int = key(7000, low=1024, high=_LAST_PORT)
    dashboard: int = key(8265, low=1024, high=_LAST_PORT)


@dataclass(frozen=True, kw_only=True)
class NodesConfig:
    """One kind of node.

    Attributes:
        market: where they come from; ``local`` are processes of this machine.
        cpus: trials that one may run at a time, as far as CPUs go.
        max_nodes: at a time; all kinds together have 32 at most.
        idle: seconds without work after which one goes.
        boot: seconds that one may take until it has joined.
    """

    market: str = key(choices=(LOCAL,))
    cpus: int = key(1, low=1, high=32)  # each takes a port
    max_nodes: int = key(1, low=1, high=MOST_NODES)
    idle: float = duration(5.0 * MINUTE, low=10.0, high=float(DAY))
    boot: float = duration(5.0 * MINUTE, low=60.0, high=float(DAY))


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A cluster as its file describes it."""

    name: str = key(parse=_name)
    nodes: Mapping[str, NodesConfig]
    head: HeadConfig = field(default_factory=HeadConfig)

    def __post_init__(self) -> None:
        if not self.nodes:
            raise _wrong("nodes", "nodes must name at least one kind of node")
        for name in self.nodes:
            if not re.fullmatch("[a-z0-9]{1,12}", name) or name == "head":
                raise _wrong(
                    f"nodes.{name}", f"a kind of node is 1 to 12 small letters and digits, and not head, got {name!r}"
                )
        count = sum(kind.max_nodes for kind in self.nodes.values())
        if count > MOST_NODES:
            raise _wrong("nodes", f"nodes may be {MOST_NODES} at most in all, got {count}; lower a max_nodes")
        last = self.head.ports + SPAN * count + SPAN - 1
        if last > _LAST_PORT:
            raise _wrong("head.ports", f"head.ports must leave {SPAN} ports for each node, got {self.head.ports}")
        if self.head.ports <= self.head.dashboard <= last:
            raise _wrong(
                "head.dashboard", f"head.dashboard must lie outside {self.head.ports} to {last}, the ports of the nodes"
            )


def load_plan(path: Path | str) -> Plan:
    """Read a cluster file.

    Raises:
        ConfigError: it cannot be read, or something in it is wrong; the text has a line for each mistake.
    """
    if re.search("^apiVersion:", read_text(path, "the cluster file"), re.MULTILINE):
        raise ConfigError(f"{str(path)!r} holds manifests for Kubernetes: `kubectl apply -f {path}` reads it")
    document = read_yaml(path, "cluster file")
    if found := list(_mistakes(document)):
        raise ConfigError("\n".join(found))
    return build(Plan, document.data)


def _mistakes(document: Document) -> Iterator[str]:
    for error in mistakes(Plan, document.data):
        yield str(document.placed(error))


def _wrong(name: str, text: str) -> ConfigError:
    error = ConfigError(text)
    error.key = name
    return error
