"""The cluster file: which nodes a cluster may have, and within which limits."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from synthcity.cluster.layout import MOST_NODES, MOST_REACHED, SPAN
from synthcity.documents import Document, read_yaml
from synthcity.durations import DAY, HOUR, MINUTE
from synthcity.errors import ConfigError
from synthcity.rent import Limits, NodeType, Spot, cluster_name, gpu_names, usd
from synthcity.schema import build, duration, key, mistakes, plain
from synthcity.textfile import read_text
from synthcity.vault.opening import vault_address

LOCAL, BASILICA = "local", "basilica"
_LAST_PORT = 65_535
_LEASE = 12.0 * HOUR
_OFFERED = ("gpus", "count", "spot", "max_hourly_rate", "max_lease")
_OF_RENTED = (*_OFFERED, "prepare", "power_off")


def _storage(value: object) -> str:
    address = vault_address(value)
    if "://" not in address:
        raise ValueError("s3://bucket/prefix, since what lies on this machine alone goes with it")
    return address


def _command(value: object) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise ValueError("text without a zero byte, which no shell takes")
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
        market: where they come from; ``local`` are processes of this machine, ``basilica`` rents machines.
        cpus: trials that one may run at a time, as far as CPUs go; a machine with fewer is not rented.
        max_nodes: at a time; all kinds together have 32 at most, 12 where they are rented.
        idle: seconds without work after which one goes.
        boot: seconds that one may take until it has joined.
        gpus, count, spot, max_hourly_rate, max_lease: of rented machines, as ``rent.NodeType`` has them.
        prepare: shell command that makes a rented machine fit for a node, before anything else; empty for none.
        power_off: shell command by which a rented machine that nobody reaches any more ends itself.
    """

    market: str = key(choices=(LOCAL, BASILICA))
    cpus: int = key(1, low=1, high=32)  # each takes a port
    max_nodes: int = key(1, low=1, high=MOST_NODES)
    idle: float = duration(5.0 * MINUTE, low=10.0, high=float(DAY))
    boot: float = duration(15.0 * MINUTE, low=60.0, high=float(DAY))
    gpus: tuple[str, ...] = key((), parse=gpu_names)
    count: int = key(1, low=1, high=16)
    spot: Spot = key("never")
    max_hourly_rate: Decimal | None = key(None, parse=usd, write=str)
    max_lease: float = duration(_LEASE, low=300.0, high=31.0 * DAY)
    prepare: str = key("", parse=_command)
    power_off: str = key("sudo poweroff", parse=_command)

    @property
    def is_rented(self) -> bool:
        """Whether such nodes cost money."""
        return self.market != LOCAL

    @property
    def resources(self) -> dict[str, int]:
        """Of one node, by Ray's names."""
        return {"CPU": self.cpus} | ({"GPU": self.count} if self.gpus else {})


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A cluster as its file describes it; what stands below ``head`` is for rented nodes, which must have it.

    ``limits``: of all machines together. ``storage``: of a vault, to which jobs push their runs that name none.
    """

    name: str = key(parse=cluster_name)
    nodes: Mapping[str, NodesConfig]
    head: HeadConfig = field(default_factory=HeadConfig)
    limits: Limits | None = None
    storage: str | None = key(None, parse=_storage)

    @property
    def is_rented(self) -> bool:
        """Whether its nodes cost money; all do, or none."""
        return any(kind.is_rented for kind in self.nodes.values())

    @property
    def resources(self) -> dict[str, int]:
        """Of all nodes that there may be at a time, by Ray's names."""
        found = Counter[str]()
        for kind in self.nodes.values():
            found.update({name: kind.max_nodes * count for name, count in kind.resources.items()})
        return dict(found)

    @property
    def node_types(self) -> tuple[NodeType, ...]:
        """What may be rented."""
        names = ("cpus", "max_nodes", "boot", *_OFFERED)
        return tuple(
            NodeType(name=name, **{one: getattr(kind, one) for one in names})
            for name, kind in self.nodes.items()
            if kind.is_rented
        )

    def __post_init__(self) -> None:
        for error in _unfit(plain(self)):
            raise error
        if not self.nodes:
            raise _wrong("nodes", "nodes must name at least one kind of node")
        for name in self.nodes:
            if not re.fullmatch("[a-z0-9]{1,12}", name) or name == "head":
                raise _wrong(
                    f"nodes.{name}", f"a kind of node is 1 to 12 small letters and digits, and not head, got {name!r}"
                )
        count = sum(kind.max_nodes for kind in self.nodes.values())
        most, where = (MOST_REACHED, " where they are rented") if self.is_rented else (MOST_NODES, "")
        if count > most:
            raise _wrong("nodes", f"nodes may be {most} at most in all{where}, got {count}; lower a max_nodes")
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
    found = [*mistakes(Plan, document.data), *_unfit(document.data)]
    yield from dict.fromkeys(str(document.placed(error)) for error in found)


def _unfit(data: object) -> Iterator[ConfigError]:
    """What a plan lacks, or has too much, for where its nodes come from; also beside other mistakes of its file."""
    nodes = data.get("nodes") if isinstance(data, Mapping) else None
    if not isinstance(data, Mapping) or not isinstance(nodes, Mapping):
        return
    kinds = {str(name): kind for name, kind in nodes.items() if isinstance(kind, Mapping)}
    markets = {kind.get("market") for kind in kinds.values()} & {LOCAL, BASILICA}
    if markets == {LOCAL, BASILICA}:
        yield _wrong("nodes", "nodes must all be local or all be rented; make two clusters of them")
    standard = plain(NodesConfig(market=LOCAL))
    for name, kind in kinds.items():
        if kind.get("market") == BASILICA and kind.get("max_hourly_rate") is None:
            yield _wrong(
                f"nodes.{name}",
                f"nodes.{name}.max_hourly_rate is missing: USD an hour that one whole machine may cost, such as 1.50",
            )
        if kind.get("market") == BASILICA and not kind.get("gpus") and kind.get("count", 1) != 1:
            yield _wrong(f"nodes.{name}.count", f"nodes.{name}.count is of GPUs; name some in gpus, or leave it out")
        for key_ in _OF_RENTED if kind.get("market") == LOCAL else ():
            if kind.get(key_, standard[key_]) != standard[key_]:
                yield _wrong(f"nodes.{name}.{key_}", f"nodes.{name}.{key_} is for rented nodes; leave it out")
    if markets == {LOCAL} and data.get("limits") is not None:
        yield _wrong("limits", "limits are of rented nodes, and these are local; leave them out")
    if BASILICA in markets and data.get("limits") is None:
        text = "limits is missing: USD of all rented nodes together, such as {hourly: 4.00, spend: 60.00}"
        yield _wrong("nodes", text)
    if BASILICA in markets and data.get("storage") is None:
        text = "storage is missing: s3://bucket/prefix, where runs are kept that rented nodes have paid for"
        yield _wrong("nodes", text)


def _wrong(name: str, text: str) -> ConfigError:
    error = ConfigError(text)
    error.key = name
    return error
